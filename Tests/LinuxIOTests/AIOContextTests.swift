import CLinux
import Glibc
import Testing

@testable import LinuxIO

/// A file of its own, already unlinked, and page-aligned memory to transfer from and to.
private struct Fixture: ~Copyable {
  let file: FileDescriptor
  let memory: MemoryMapping
  /// Where iovecs stay until they are submitted.
  let vectors: MemoryMapping
  let signal: EventFD

  init(fileSize: Int = 64 * 1024) throws {
    let template = "/var/tmp/nvmed-aio-XXXXXX"
    var path = Array(template.utf8CString)
    let number = mkstemp(&path)
    try #require(number >= 0)
    let file = FileDescriptor(owning: number)
    unlink(path)
    try #require(ftruncate(number, fileSize) == 0)
    let memory = try MemoryMapping(anonymous: 64 * 1024)
    let vectors = try MemoryMapping(anonymous: 4096)
    let signal = try EventFD()
    self.vectors = vectors
    self.file = file
    self.memory = memory
    self.signal = signal
  }

  func context(
    _ capacity: Int = 16, _ reaping: AIOContext.Reaping = .automatic,
    submitLimit: Int = AIOContext.defaultSubmitLimit
  ) throws -> AIOContext {
    try AIOContext(capacity: capacity, eventfd: signal.rawValue, reaping: reaping, submitLimit: submitLimit)
  }

  func iovec(at offset: Int, count: Int) -> Glibc.iovec {
    Glibc.iovec(iov_base: memory.base + offset, iov_len: count)
  }

  /// Puts iovecs where they stay; `place` tells those of one batch apart.
  func vector(_ place: Int, _ parts: [Glibc.iovec]) -> UnsafePointer<Glibc.iovec> {
    let base = (vectors.base + place * 256).assumingMemoryBound(to: Glibc.iovec.self)
    for (index, part) in parts.enumerated() { (base + index).initialize(to: part) }
    return UnsafePointer(base)
  }

  func fill(_ offset: Int, _ count: Int, _ byte: UInt8) { memset(memory.base + offset, Int32(byte), count) }

  func bytes(_ offset: Int, _ count: Int) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: memory.base + offset, count: count))
  }

  func fileBytes(_ offset: Int, _ count: Int) -> [UInt8] {
    var result = [UInt8](repeating: 0xee, count: count)
    return pread(file.rawValue, &result, count, offset) == count ? result : []
  }
}

/// Waits on the eventfd until `count` requests have finished.
private func reap(_ context: inout AIOContext, _ count: Int) -> [AIOCompletion] {
  var result: [AIOCompletion] = []
  while result.count < count {
    if let completion = context.nextCompletion() {
      result.append(completion)
    } else {
      var wait = pollfd(fd: Int32(context.eventfd), events: Int16(POLLIN), revents: 0)
      if poll(&wait, 1, 10_000) != 1 { return result }
      EventFD.drain(rawValue: Int32(context.eventfd))
    }
  }
  return result.sorted { $0.cookie < $1.cookie }
}

private let reapings: [AIOContext.Reaping] = [.automatic, .systemCall]

@Suite struct AIOContextTests {
  @Test(arguments: reapings) func transfersDataOfOneAndOfManyBuffers(_ reaping: AIOContext.Reaping) throws {
    let fixture = try Fixture()
    var context = try fixture.context(16, reaping)
    #expect(context.readsRing == (reaping == .automatic))
    fixture.fill(0, 4096, 0x11)
    fixture.fill(4096, 512, 0x22)
    fixture.fill(8192, 1024, 0x33)
    var single = fixture.iovec(at: 0, count: 4096)
    let vector = fixture.vector(0, [fixture.iovec(at: 8192, count: 1024), fixture.iovec(at: 4096, count: 512)])
    let cookie: UInt64 = 0xfedc_ba98_7654_3210
    context.prepareWrite(
      slot: 3, fd: fixture.file.rawValue, iovecs: &single, count: 1, offset: 512, cookie: 1, dataSync: false)
    context.prepareWrite(
      slot: 15, fd: fixture.file.rawValue, iovecs: vector, count: 2, offset: 8192, cookie: cookie, dataSync: true)
    #expect(context.pendingCount == 2)
    #expect(context.submit() == 0)
    #expect(context.pendingCount == 0)
    #expect(context.inFlight == 2)
    #expect(
      reap(&context, 2) == [AIOCompletion(cookie: 1, result: 4096), AIOCompletion(cookie: cookie, result: 1536)])
    #expect(context.inFlight == 0)
    #expect(fixture.fileBytes(512, 4096) == [UInt8](repeating: 0x11, count: 4096))
    #expect(
      fixture.fileBytes(8192, 1536)
        == [UInt8](repeating: 0x33, count: 1024) + [UInt8](repeating: 0x22, count: 512))

    fixture.fill(0, 65536, 0)
    var back = fixture.iovec(at: 100, count: 1000)
    let parts = fixture.vector(1, [fixture.iovec(at: 20000, count: 1020), fixture.iovec(at: 30000, count: 516)])
    context.prepareRead(slot: 3, fd: fixture.file.rawValue, iovecs: &back, count: 1, offset: 512, cookie: 7)
    context.prepareRead(slot: 4, fd: fixture.file.rawValue, iovecs: parts, count: 2, offset: 8192, cookie: 8)
    #expect(context.submit() == 0)
    #expect(reap(&context, 2) == [AIOCompletion(cookie: 7, result: 1000), AIOCompletion(cookie: 8, result: 1536)])
    #expect(fixture.bytes(100, 1001) == [UInt8](repeating: 0x11, count: 1000) + [0])
    #expect(fixture.bytes(20000, 1020) == fixture.fileBytes(8192, 1020))
    #expect(fixture.bytes(30000, 516) == fixture.fileBytes(8192 + 1020, 516))
    #expect(context.nextCompletion() == nil)
  }

  @Test(arguments: reapings) func goesRoundTheRingManyTimes(_ reaping: AIOContext.Reaping) throws {
    let fixture = try Fixture()
    var context = try fixture.context(8, reaping)
    let rounds = 1000
    var next: UInt64 = 0
    for round in 0..<rounds {
      let burst = 1 + round % 8
      for slot in 0..<burst {
        var part = fixture.iovec(at: slot * 64, count: 64)
        context.prepareRead(
          slot: slot, fd: fixture.file.rawValue, iovecs: &part, count: 1, offset: Int64(slot) * 64,
          cookie: next + UInt64(slot))
      }
      try #require(context.submit() == 0)
      let expected = (0..<burst).map { AIOCompletion(cookie: next + UInt64($0), result: 64) }
      try #require(reap(&context, burst) == expected)
      next += UInt64(burst)
    }
    #expect(context.inFlight == 0)
    // More events than the ring holds, or the test has not gone round.
    if reaping == .automatic { #expect(next > 4 * UInt64(context.reaper.size)) }
  }

  @Test func oneSignalForEachRequestThatAsksForIt() throws {
    let fixture = try Fixture()
    var context = try fixture.context()
    var part = fixture.iovec(at: 0, count: 512)
    func add(_ slot: Int) {
      context.prepareRead(
        slot: slot, fd: fixture.file.rawValue, iovecs: &part, count: 1, offset: 0, cookie: UInt64(slot))
    }
    add(0)
    add(1)
    context.signalsEventFD = false
    add(2)
    #expect(context.silentInFlight == 1)
    #expect(context.submit() == 0)
    // Buffered reads finish inside submit().
    #expect(fixture.signal.drain() == 2)
    for cookie in 0..<UInt64(3) { #expect(context.nextCompletion() == AIOCompletion(cookie: cookie, result: 512)) }
    #expect(context.silentInFlight == 0)
    context.prepareRead(slot: 0, fd: -1, iovecs: &part, count: 1, offset: 0, cookie: 0)
    #expect(context.silentInFlight == 1)
    #expect(context.submit() == 1)
    #expect(context.silentInFlight == 0)
    #expect(fixture.signal.drain() == 0)
  }

  @Test(arguments: reapings, [1, 2, 5, 64])
  func aRefusedRequestDoesNotStopTheOthers(_ reaping: AIOContext.Reaping, _ limit: Int) throws {
    let fixture = try Fixture()
    var context = try fixture.context(16, reaping, submitLimit: limit)
    // Not readable, and without fsync.
    let sink = try FileDescriptor(path: "/dev/null", flags: O_WRONLY)
    var part = fixture.iovec(at: 0, count: 512)
    let unmapped = fixture.vector(
      0,
      [
        iovec(iov_base: UnsafeMutableRawPointer(bitPattern: UInt.max), iov_len: 512), fixture.iovec(at: 0, count: 512),
      ])
    let fd = fixture.file.rawValue
    context.prepareRead(slot: 0, fd: -1, iovecs: &part, count: 1, offset: 0, cookie: 10)
    context.prepareRead(slot: 1, fd: fd, iovecs: &part, count: 1, offset: 0, cookie: 11)
    context.prepareDataSync(slot: 2, fd: sink.rawValue, cookie: 12)
    context.prepareRead(slot: 3, fd: fd, iovecs: unmapped, count: 2, offset: 0, cookie: 13)
    context.prepareRead(slot: 4, fd: fd, iovecs: &part, count: 1, offset: 0, cookie: 14)
    context.prepareRead(slot: 5, fd: sink.rawValue, iovecs: &part, count: 1, offset: 0, cookie: 15)
    #expect(context.submit() == 4)
    let rejections = (0..<4).map { context.rejection(at: $0) }
    #expect(
      rejections == [
        AIORejection(cookie: 10, error: .badFileDescriptor), AIORejection(cookie: 12, error: .invalidArgument),
        AIORejection(cookie: 13, error: .badAddress), AIORejection(cookie: 15, error: .badFileDescriptor),
      ])
    #expect(context.inFlight == 2)
    #expect(context.pendingCount == 0)
    #expect(reap(&context, 2) == [AIOCompletion(cookie: 11, result: 512), AIOCompletion(cookie: 14, result: 512)])
  }

  @Test func aFailedTransferIsACompletionWithItsError() throws {
    let fixture = try Fixture()
    var context = try fixture.context()
    // Memory that exists and may not be written: found only when the data is copied.
    let readOnly = try SharedMemory(name: "aio", count: 4096)
    let page = try MemoryMapping(fd: readOnly.descriptor.rawValue, offset: 0, count: 4096, .read)
    var part = iovec(iov_base: page.base, iov_len: 512)
    context.prepareRead(slot: 0, fd: fixture.file.rawValue, iovecs: &part, count: 1, offset: 0, cookie: 5)
    #expect(context.submit() == 0)
    let completion = try #require(reap(&context, 1).first)
    #expect(completion.result == -Int64(EFAULT))
    #expect(completion.error == .badAddress)
    // At the end of the file a transfer is short.
    var end = fixture.iovec(at: 0, count: 1024)
    context.prepareRead(
      slot: 0, fd: fixture.file.rawValue, iovecs: &end, count: 1, offset: 64 * 1024 - 100, cookie: 6)
    #expect(context.submit() == 0)
    let short = try #require(reap(&context, 1).first)
    #expect(short == AIOCompletion(cookie: 6, result: 100))
    #expect(short.error == nil)
  }

  @Test(arguments: [1, 3, 8, 64]) func whatTheKernelHasNoRoomForWaitsItsTurn(_ limit: Int) throws {
    let fixture = try Fixture()
    var context = try fixture.context(64, submitLimit: limit)
    let fd = fixture.file.rawValue
    var part = fixture.iovec(at: 0, count: 64)
    // Nothing is reaped, so the ring fills; it holds more than `capacity`.
    var submitted: UInt64 = 0
    for _ in 0..<100 where context.pendingCount == 0 {
      for slot in 0..<64 {
        context.prepareRead(slot: slot, fd: fd, iovecs: &part, count: 1, offset: 0, cookie: submitted + UInt64(slot))
      }
      try #require(context.submit() == 0)
      submitted += 64
    }
    let pending = context.pendingCount
    try #require(pending > 0)
    #expect(context.inFlight == Int(submitted) - pending)
    // A second attempt without room changes nothing.
    #expect(context.submit() == 0)
    #expect(context.pendingCount == pending)

    // One behind the backlog, then room: all come, each once, in order.
    if pending < 64 {
      var extra = fixture.iovec(at: 64, count: 32)
      context.prepareRead(slot: 0, fd: fd, iovecs: &extra, count: 1, offset: 0, cookie: submitted)
      submitted += 1
    }
    var cookies: [UInt64] = []
    while cookies.count < Int(submitted) {
      while let completion = context.nextCompletion() { cookies.append(completion.cookie) }
      try #require(context.submit() == 0)
      if context.inFlight == 0 { break }
    }
    #expect(cookies == Array(0..<submitted))
    #expect(context.pendingCount == 0)
  }

  @Test(arguments: [(1, 13), (5, 3), (8, 2), (13, 1), (64, 1)])
  func aCallTakesNoMoreThanTheLimit(_ limit: Int, _ calls: UInt64) throws {
    let fixture = try Fixture()
    var context = try fixture.context(16, submitLimit: limit)
    var part = fixture.iovec(at: 0, count: 64)
    for slot in 0..<13 {
      context.prepareRead(
        slot: slot, fd: fixture.file.rawValue, iovecs: &part, count: 1, offset: 0, cookie: UInt64(slot))
    }
    #expect(context.submit() == 0)
    #expect(context.submitCalls == calls)
    #expect(reap(&context, 13).map(\.cookie) == Array(0..<13))
  }

  /// A batch whose time is over is left to the next call, in order; a short one is not worth a look at the clock.
  @Test func aBatchIsCutAtItsDeadline() throws {
    let fixture = try Fixture()
    var context = try fixture.context(64, submitLimit: 2)
    func prepare(_ slots: Range<Int>) {
      for slot in slots {
        context.prepareRead(
          slot: slot, fd: fixture.file.rawValue, iovecs: fixture.vector(0, [fixture.iovec(at: 0, count: 512)]),
          count: 1,
          offset: 0, cookie: UInt64(slot))
      }
    }
    let slice = 2
    prepare(0..<slice)
    #expect(context.submit(until: 0) == 0)
    #expect(!context.wasCut && context.pendingCount == 0)
    _ = reap(&context, slice)
    prepare(0..<slice * 3)
    for left in [2, 1] {
      #expect(context.submit(until: 0) == 0)
      #expect(context.wasCut && context.pendingCount == left * slice)
    }
    #expect(context.submit(until: .max) == 0)
    #expect(!context.wasCut && context.pendingCount == 0)
    #expect(reap(&context, slice * 3).map(\.cookie) == Array(0..<UInt64(slice * 3)))
  }

  @Test func pendingRequestsCanBeWithdrawn() throws {
    let fixture = try Fixture()
    var context = try fixture.context()
    var part = fixture.iovec(at: 0, count: 64)
    context.signalsEventFD = false
    for slot in 0..<3 {
      context.prepareRead(
        slot: slot, fd: fixture.file.rawValue, iovecs: &part, count: 1, offset: 0, cookie: UInt64(slot) + 40)
    }
    #expect(context.withdrawPending() == 3)
    for index in 0..<3 {
      #expect(
        context.rejection(at: index)
          == AIORejection(cookie: UInt64(index) + 40, error: Errno(rawValue: ECANCELED)))
    }
    #expect(context.pendingCount == 0)
    #expect(context.silentInFlight == 0)
    #expect(context.submit() == 0)
    #expect(context.inFlight == 0)
    #expect(context.nextCompletion() == nil)
  }

  @Test func syncsCarryNoOtherArguments() throws {
    let fixture = try Fixture()
    var context = try fixture.context()
    // A slot that carried a durable write before: what is left of it would make the sync invalid.
    var part = fixture.iovec(at: 0, count: 512)
    context.prepareWrite(
      slot: 0, fd: fixture.file.rawValue, iovecs: &part, count: 1, offset: 512, cookie: 1, dataSync: true)
    #expect(context.iocbs[0].aio_rw_flags == 2)
    #expect(context.submit() == 0)
    #expect(reap(&context, 1) == [AIOCompletion(cookie: 1, result: 512)])
    context.prepareDataSync(slot: 0, fd: fixture.file.rawValue, cookie: 2)
    #expect(context.submit() == 0)
    #expect(reap(&context, 1) == [AIOCompletion(cookie: 2, result: 0)])
    context.prepareWrite(
      slot: 0, fd: fixture.file.rawValue, iovecs: &part, count: 1, offset: 512, cookie: 3, dataSync: false)
    #expect(context.iocbs[0].aio_rw_flags == 0)
    #expect(context.submit() == 0)
    #expect(reap(&context, 1) == [AIOCompletion(cookie: 3, result: 512)])
  }

  @Test func onlyTheKnownRingIsRead() {
    var known = clinux_aio_ring()
    known.nr = 127
    known.magic = 0xa10a_10a1
    known.compat_features = 1
    known.header_length = 32
    #expect(AIOReaper.isKnown(known))
    var other = known
    other.magic = 0xa10a_10a2
    #expect(!AIOReaper.isKnown(other))
    other = known
    other.incompat_features = 1
    #expect(!AIOReaper.isKnown(other))
    other = known
    other.header_length = 64
    #expect(!AIOReaper.isKnown(other))
    other = known
    other.nr = 0
    #expect(!AIOReaper.isKnown(other))
    #expect(MemoryLayout<clinux_aio_ring>.size == 32)
  }

  /// Above 8 Mi requests the kernel answers EINVAL, whatever the limit.
  static let limitCanBeReached = (AIOSetupError.systemValue("aio-max-nr") ?? .max) < 2_000_000

  @Test(.enabled(if: limitCanBeReached, "fs.aio-max-nr is too high to be reached"))
  func asksForLessWhereTheSystemHasNoMore() throws {
    let limit = try #require(AIOSetupError.systemValue("aio-max-nr"))
    let signal = try EventFD()
    let context = try AIOContext(capacity: (limit + 1) * 4, minimum: 8, eventfd: signal.rawValue)
    #expect(context.capacity < limit && context.capacity >= 8)
  }

  @Test(.enabled(if: limitCanBeReached, "fs.aio-max-nr is too high to be reached"))
  func tellsWhatToDoWhereTheLimitIsReached() throws {
    let limit = try #require(AIOSetupError.systemValue("aio-max-nr"))
    let signal = try EventFD()
    let error = #expect(throws: AIOSetupError.self) {
      _ = try AIOContext(capacity: limit + 1, minimum: limit + 1, eventfd: signal.rawValue)
    }
    #expect(error?.error == .wouldBlock)
    #expect(error?.limit == limit)
    let text = AIOSetupError(error: .wouldBlock, requested: 1024, minimum: 64, inUse: 65500, limit: 65536).description
    #expect(
      text
        == "no Linux AIO context for 1024 requests, nor for 64: the system-wide limit is reached (fs.aio-nr = 65500, "
        + "fs.aio-max-nr = 65536). Raise it: sysctl fs.aio-max-nr=131072")
    #expect(
      AIOSetupError(error: Errno(rawValue: ENOSYS), requested: 1, minimum: 1, inUse: nil, limit: nil).description
        .contains("io_setup(2)"))
  }
}
