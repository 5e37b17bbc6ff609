import CLinux
import Glibc
import LinuxIO
import Testing

@testable import Storage

/// Calls that fail as told, and what was called.
final class ScriptedCalls: Sendable {
  struct Call: Equatable {
    let name: String
    let offset: UInt64
    let count: UInt64

    init(_ name: String, _ offset: UInt64 = 0, _ count: UInt64 = 0) {
      self.name = name
      self.offset = offset
      self.count = count
    }
  }

  private let state = Locked<(calls: [Call], errors: [String: [Int32]])>(([], [:]))

  /// - Parameter errors: for each call its errors in turn, 0 for success; the last one stays.
  init(_ errors: [String: [Int32]] = [:]) { state.withLock { $0.errors = errors } }

  var made: [Call] { state.withLock { $0.calls } }

  private func answer(_ call: Call) -> Errno? {
    state.withLock { state in
      state.calls.append(call)
      guard let errors = state.errors[call.name], let first = errors.first else { return nil }
      if errors.count > 1 { state.errors[call.name]?.removeFirst() }
      return first == 0 ? nil : Errno(rawValue: first)
    }
  }

  var calls: StorageCalls {
    StorageCalls(
      allocate: { _, mode, offset, count in
        self.answer(Call(mode == 3 ? "punch" : mode == 0x11 ? "zero" : "mode \(mode)", offset, count))
      },
      discard: { _, offset, count in self.answer(Call("discard", offset, count)) },
      dataSync: { _ in self.answer(Call("sync")) })
  }
}

private let mebibyte: UInt64 = 1 << 20
private let buffered = ImageOptions(cache: .buffered)

/// Runs a job to its end; its error, and how many steps it took.
private func run(_ image: DiskImage, _ operation: StorageJob.Operation) throws -> (error: Errno?, steps: Int) {
  var execution = JobExecution(StorageJob(token: 0, image: image, operation: operation))
  let zeros = try ZeroBuffer()
  for step in 1...100_000 {
    if case .finished(let error) = execution.step(zeros: zeros.base) { return (error, step) }
  }
  Issue.record("the job does not end")
  return (nil, 0)
}

private func bytes(_ value: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: value, count: count) }

private func zeroes(
  _ offset: UInt64, _ count: UInt64, deallocate: Bool = false, dataSync: Bool = false
) -> StorageJob.Operation {
  .writeZeroes(ByteRange(offset: offset, count: count), deallocate: deallocate, dataSync: dataSync)
}

@Suite struct JobExecutionTests {
  @Test func saysHowMuchItClears() {
    #expect(zeroes(512, 1024, deallocate: true, dataSync: false).byteCount == 1024)
    let ranges = [ByteRange(offset: 0, count: 512), ByteRange(offset: 4096, count: 4096)]
    #expect(StorageJob.Operation.deallocate(ranges).byteCount == 4608)
    #expect(StorageJob.Operation.flush.byteCount == 0)
    let huge = ByteRange(offset: 0, count: UInt64.max)
    #expect(StorageJob.Operation.deallocate([huge, huge]).byteCount == .max)
  }

  @Test func zeroesAndFreesExactlyTheRange() throws {
    let file = try TestImage(size: 1 << 20)
    try file.fill(0, 1 << 20, 0xaa)
    let before = file.allocated
    let image = try DiskImage(path: file.path, options: buffered)
    // No filesystem block starts or ends with it.
    #expect(try run(image, zeroes(3 * 512, 1000 * 512, deallocate: true, dataSync: true)).error == nil)
    #expect(file.bytes(0, 1536) == bytes(0xaa, 1536))
    #expect(file.bytes(1536, 512_000) == bytes(0, 512_000))
    #expect(file.bytes(1536 + 512_000, 1 << 20) == bytes(0xaa, (1 << 20) - 1536 - 512_000))
    #expect(before - file.allocated >= 512_000 - 2 * 4096)
    #expect(lseek(file.fd, 4096, SEEK_HOLE) == 4096)
  }

  @Test func zeroesAndKeepsTheSpace() throws {
    let file = try TestImage(size: 1 << 20)
    try file.fill(0, 1 << 20, 0xaa)
    let before = file.allocated
    let image = try DiskImage(path: file.path, options: buffered)
    #expect(try run(image, zeroes(512, 8192 * 8, dataSync: true)).error == nil)
    #expect(file.bytes(0, 512) == bytes(0xaa, 512))
    #expect(file.bytes(512, 65536) == bytes(0, 65536))
    #expect(file.bytes(512 + 65536, 512) == bytes(0xaa, 512))
    #expect(file.allocated >= before)
  }

  @Test(.enabled(if: directIOWorks, "no direct I/O where the tests put their files"), arguments: [true, false])
  func writesZerosWhereNothingElseIsSupported(_ direct: Bool) throws {
    let file = try TestImage(size: 4 << 20)
    try file.fill(0, 4 << 20, 0xbb)
    let script = ScriptedCalls(["punch": [EOPNOTSUPP], "zero": [EINVAL]])
    let image = try DiskImage(
      path: file.path, options: ImageOptions(cache: direct ? .direct : .buffered), calls: script.calls)
    let (error, steps) = try run(image, zeroes(512, 3 * mebibyte + 1024, deallocate: true))
    #expect(error == nil)
    // Two attempts, four writes, the end.
    #expect(steps == 7)
    let first = UInt64(3 * mebibyte + 1024)
    #expect(script.made == [.init("punch", 512, first), .init("zero", 512, first)])
    #expect(file.bytes(0, 512) == bytes(0xbb, 512))
    #expect(file.bytes(512, (3 << 20) + 1024) == bytes(0, (3 << 20) + 1024))
    #expect(file.bytes((3 << 20) + 1536, 4096) == bytes(0xbb, 4096))
  }

  @Test func writesZerosOnAFilesystemThatOnlyPunches() throws {
    // tmpfs has no FALLOC_FL_ZERO_RANGE.
    let memory = try SharedMemory(name: "image", count: 1 << 20)
    memset(memory.mapping.base, 0xcc, 1 << 20)
    let image = try DiskImage(descriptor: memory.descriptor.duplicate(), name: "memfd", options: buffered)
    #expect(try run(image, zeroes(4096, 8192)).error == nil)
    #expect(readBytes(memory.descriptor.rawValue, 4096, 8192) == bytes(0, 8192))
    #expect(lseek(memory.descriptor.rawValue, 0, SEEK_HOLE) == 1 << 20)
    #expect(try run(image, zeroes(4096, 8192, deallocate: true)).error == nil)
    #expect(lseek(memory.descriptor.rawValue, 0, SEEK_HOLE) == 4096)
    #expect(lseek(memory.descriptor.rawValue, 4096, SEEK_DATA) == 12288)
    #expect(readBytes(memory.descriptor.rawValue, 12288, 4096) == bytes(0xcc, 4096))
  }

  @Test func deallocatesWholeUnitsOnly() throws {
    let file = try TestImage(size: 1 << 20)
    try file.fill(0, 1 << 20, 0xdd)
    let image = try DiskImage(path: file.path, options: buffered)
    let unit = image.allocationUnit
    let before = file.allocated
    let ranges = [
      ByteRange(offset: UInt64(unit) - 512, count: UInt64(2 * unit)),
      ByteRange(offset: UInt64(10 * unit), count: 512),
      ByteRange(offset: UInt64(20 * unit), count: UInt64(4 * unit)),
      ByteRange(offset: UInt64(21 * unit), count: UInt64(unit)),
      ByteRange(offset: 0, count: 0),
    ]
    #expect(try run(image, .deallocate(ranges)).error == nil)
    #expect(fsync(file.fd) == 0)
    #expect(file.bytes(0, unit) == bytes(0xdd, unit))
    #expect(file.bytes(unit, unit) == bytes(0, unit))
    #expect(file.bytes(2 * unit, 18 * unit) == bytes(0xdd, 18 * unit))
    #expect(file.bytes(20 * unit, 4 * unit) == bytes(0, 4 * unit))
    #expect(file.bytes(24 * unit, unit) == bytes(0xdd, unit))
    #expect(before - file.allocated >= 5 * unit)
    #expect(lseek(file.fd, 0, SEEK_HOLE) == unit)
    #expect(lseek(file.fd, off_t(2 * unit), SEEK_HOLE) == 20 * unit)
  }

  @Test func deallocationWithoutTheMeansDoesNothing() throws {
    let file = try TestImage(size: 1 << 20)
    try file.fill(0, 1 << 20, 0xee)
    let script = ScriptedCalls(["punch": [EOPNOTSUPP]])
    let image = try DiskImage(path: file.path, options: buffered, calls: script.calls)
    let range = ByteRange(offset: 0, count: mebibyte)
    #expect(try run(image, .deallocate([range, range])).error == nil)
    #expect(script.made == [.init("punch", 0, mebibyte)])
    #expect(file.bytes(0, 1 << 20) == bytes(0xee, 1 << 20))
  }

  @Test func worksInBoundedSteps() throws {
    let file = try TestImage(size: 200 << 20)
    let script = ScriptedCalls()
    let image = try DiskImage(path: file.path, options: buffered, calls: script.calls)
    let ranges = [ByteRange(offset: 0, count: 130 * mebibyte), ByteRange(offset: 190 * mebibyte, count: mebibyte)]
    let (error, steps) = try run(image, .deallocate(ranges))
    #expect(error == nil)
    #expect(steps == 5)
    #expect(
      script.made == [
        .init("punch", 0, 64 * mebibyte), .init("punch", 64 * mebibyte, 64 * mebibyte),
        .init("punch", 128 * mebibyte, 2 * mebibyte), .init("punch", 190 * mebibyte, mebibyte),
      ])
  }

  @Test(
    arguments: [
      ByteRange(offset: 1 << 20, count: 512), ByteRange(offset: 512, count: 1 << 20),
      ByteRange(offset: .max - 511, count: 512), ByteRange(offset: 512, count: .max),
    ])
  func whatIsOutsideTheImageIsRefusedAsAWhole(_ outside: ByteRange) throws {
    let file = try TestImage(size: 1 << 20)
    let script = ScriptedCalls()
    let image = try DiskImage(path: file.path, options: buffered, calls: script.calls)
    #expect(
      try run(image, .writeZeroes(outside, deallocate: false, dataSync: true)).error == .invalidArgument)
    #expect(
      try run(image, .deallocate([ByteRange(offset: 0, count: 4096), outside])).error == .invalidArgument)
    #expect(script.made == [])
    #expect(file.bytes(1 << 20, 1) == [])
  }

  @Test func anErrorEndsAndAnInterruptionDoesNot() throws {
    let file = try TestImage(size: 1 << 20)
    let script = ScriptedCalls(["zero": [EINTR, EIO], "punch": [EINTR, ENOSPC], "sync": [EINTR, 0]])
    let image = try DiskImage(path: file.path, options: buffered, calls: script.calls)
    #expect(try run(image, zeroes(0, mebibyte)).error == .inputOutput)
    #expect(try run(image, .deallocate([ByteRange(offset: 0, count: mebibyte)])).error == .noSpace)
    #expect(try run(image, .flush).error == nil)
    #expect(script.made.map(\.name) == ["zero", "zero", "punch", "punch", "sync", "sync"])
  }

  @Test func durableZerosAreSyncedOnceAtTheEnd() throws {
    let file = try TestImage(size: 130 << 20)
    let script = ScriptedCalls()
    let image = try DiskImage(path: file.path, options: buffered, calls: script.calls)
    #expect(try run(image, zeroes(0, 130 * mebibyte, dataSync: true)).error == nil)
    #expect(script.made.map(\.name) == ["zero", "zero", "zero", "sync"])
    #expect(try run(image, zeroes(0, 512, dataSync: false)).error == nil)
    #expect(script.made.map(\.name) == ["zero", "zero", "zero", "sync", "zero"])
  }

  @Test func aFailedFlushFailsForEver() throws {
    let file = try TestImage(size: 1 << 20)
    // As the kernel does: the error once, then success.
    let script = ScriptedCalls(["sync": [EIO, 0]])
    let image = try DiskImage(path: file.path, options: buffered, calls: script.calls)
    #expect(try run(image, .flush).error == .inputOutput)
    #expect(image.failedSync == .inputOutput)
    #expect(try run(image, .flush).error == .inputOutput)
    #expect(try run(image, zeroes(0, 512, dataSync: true)).error == .inputOutput)
    #expect(script.made.filter { $0.name == "sync" }.count == 1)
    // Opened anew, after somebody has looked at it, it works again.
    #expect(
      try run(DiskImage(path: file.path, options: ImageOptions(cache: .buffered, lock: false)), .flush).error == nil)
  }

  /// A sync beside it has got the error of the write-back that both have waited for.
  @Test func aFlushBesideASyncThatFailsFails() throws {
    let file = try TestImage(size: 1 << 20)
    let other = Locked<DiskImage?>(nil)
    var calls = StorageCalls.system
    calls.dataSync = { _ in
      other.withLock { $0 }?.noteFailedSync(.inputOutput)
      return nil
    }
    let image = try DiskImage(path: file.path, options: buffered, calls: calls)
    other.withLock { $0 = image }
    #expect(try run(image, .flush).error == .inputOutput)
    other.withLock { $0 = nil }
  }

  @Test func stopsBetweenStepsWhenCancelled() throws {
    let file = try TestImage(size: 200 << 20)
    let script = ScriptedCalls()
    let image = try DiskImage(path: file.path, options: buffered, calls: script.calls)
    let job = StorageJob(token: 1, image: image, operation: zeroes(0, 200 * mebibyte))
    var execution = JobExecution(job)
    let zeros = try ZeroBuffer()
    #expect(execution.step(zeros: zeros.base) == .unfinished)
    job.cancel()
    #expect(job.cancelled)
    #expect(execution.step(zeros: zeros.base) == .finished(Errno(rawValue: ECANCELED)))
    #expect(script.made == [.init("zero", 0, 64 * mebibyte)])
  }

  @Test func aReadOnlyImageIsNotChanged() throws {
    let file = try TestImage(size: 1 << 20)
    try file.fill(0, 4096, 0x99)
    let image = try DiskImage(path: file.path, options: ImageOptions(readOnly: true, cache: .buffered))
    #expect(try run(image, zeroes(0, 4096)).error == .badFileDescriptor)
    #expect(try run(image, .deallocate([ByteRange(offset: 0, count: 4096)])).error == .badFileDescriptor)
    #expect(file.bytes(0, 4096) == bytes(0x99, 4096))
  }

  @Test(.enabled(if: loopDevicesWork, "loop devices need root and the loop driver"), arguments: [true, false])
  func zeroesADevice(_ deallocate: Bool) throws {
    let file = try TestImage(size: 4 << 20)
    try file.fill(0, 4 << 20, 0x66)
    try LoopDevice.use(over: file.fd) { path in
      let image = try DiskImage(path: path)
      #expect(try run(image, zeroes(1536, 2 * mebibyte, deallocate: deallocate, dataSync: true)).error == nil)
      #expect(file.bytes(0, 1536) == bytes(0x66, 1536))
      #expect(file.bytes(1536, 2 << 20) == bytes(0, 2 << 20))
      #expect(file.bytes(1536 + (2 << 20), 4096) == bytes(0x66, 4096))
      if deallocate { #expect(file.allocated <= (2 << 20) + 8192) }
    }
  }

  @Test(.enabled(if: loopDevicesWork, "loop devices need root and the loop driver"))
  func deallocatesOnADevice() throws {
    let file = try TestImage(size: 4 << 20)
    try file.fill(0, 4 << 20, 0x66)
    try LoopDevice.use(over: file.fd) { path in
      let image = try DiskImage(path: path)
      #expect(try run(image, .deallocate([ByteRange(offset: 0, count: mebibyte)])).error == nil)
      #expect(file.allocated <= 3 << 20)
      #expect(file.bytes(1 << 20, 4096) == bytes(0x66, 4096))
    }
  }

  @Test(.enabled(if: loopDevicesWork, "loop devices need root and the loop driver"))
  func aDeviceThatCannotPunchIsAskedToDiscard() throws {
    let file = try TestImage(size: 1 << 20)
    try LoopDevice.use(over: file.fd) { path in
      let script = ScriptedCalls(["punch": [EOPNOTSUPP], "discard": [EOPNOTSUPP]])
      let image = try DiskImage(path: path, options: ImageOptions(), calls: script.calls)
      #expect(try run(image, .deallocate([ByteRange(offset: 512, count: 1024)])).error == nil)
      #expect(script.made == [.init("punch", 512, 1024), .init("discard", 512, 1024)])
      // The call itself, for real.
      #expect(StorageCalls.system.discard(image.fileDescriptor, 0, mebibyte) == nil)
      #expect(StorageCalls.system.discard(image.fileDescriptor, 1, 512) == .invalidArgument)
    }
  }
}

@Suite struct InlineJobTests {
  @Test func memoryIsZeroedExactly() throws {
    let backend = try BlockBackend(memory: 64 * 1024)
    guard case .memory(let base, let count) = backend.handle else {
      Issue.record("no memory")
      return
    }
    memset(base, 0x42, count)
    func content(_ offset: Int, _ count: Int) -> [UInt8] {
      Array(UnsafeRawBufferPointer(start: base + offset, count: count))
    }
    #expect(BlockBackend.perform(zeroes(512, 1024), on: backend.handle) == nil)
    #expect(content(0, 2048) == bytes(0x42, 512) + bytes(0, 1024) + bytes(0x42, 512))
    let ranges = [ByteRange(offset: 3584, count: 16384), ByteRange(offset: 65536 - 512, count: 512)]
    #expect(BlockBackend.perform(.deallocate(ranges), on: backend.handle) == nil)
    #expect(content(3072, 512) == bytes(0x42, 512))
    #expect(content(3584, 16384) == bytes(0, 16384))
    #expect(content(3584 + 16384, 512) == bytes(0x42, 512))
    #expect(content(65024, 512) == bytes(0, 512))
    #expect(BlockBackend.perform(.flush, on: backend.handle) == nil)
    let outside = [ByteRange(offset: 32768, count: 512), ByteRange(offset: 65536, count: 512)]
    #expect(BlockBackend.perform(.deallocate(outside), on: backend.handle) == .invalidArgument)
    #expect(BlockBackend.perform(zeroes(512, .max), on: backend.handle) == .invalidArgument)
    #expect(content(32768, 512) == bytes(0x42, 512))
  }

  @Test func nullTakesEverythingAndAFileNothing() throws {
    #expect(BlockBackend.perform(zeroes(0, 512), on: .null) == nil)
    #expect(BlockBackend.perform(.flush, on: .file(fd: 0)) == .invalidArgument)
  }
}
