import CLinux
import Glibc
import LinuxIO
import Testing

@testable import Storage

private let buffered = ImageOptions(cache: .buffered)
private let noDirectIO: Comment = "no direct I/O where the tests put their files"
private let noLoopDevices: Comment = "loop devices need root and the loop driver"

/// The reason for which an image is refused; nil where it is not.
///
/// - Parameter isHeld: whether somebody has it.
private func refusal(
  _ path: String, _ options: ImageOptions = ImageOptions(), isHeld: Bool = false
) -> ImageError.Reason? {
  do {
    let open = { try DiskImage(path: path, options: options) }
    _ = try isHeld ? open() : onceUnlocked(open)
    return nil
  } catch let error as ImageError {
    #expect(error.path == path)
    return error.reason
  } catch {
    Issue.record(error)
    return nil
  }
}

@Suite struct DiskImageTests {
  @Test(arguments: [(LogicalBlockSize.bytes512, UInt64(2049), 188), (.bytes4096, 256, 700)])
  func countsWholeBlocks(_ blockSize: LogicalBlockSize, _ blocks: UInt64, _ tail: Int) throws {
    let file = try TestImage(size: (1 << 20) + 700)
    let image = try DiskImage(path: file.path, options: ImageOptions(logicalBlockSize: blockSize, cache: .buffered))
    #expect(image.size == (1 << 20) + 700)
    #expect(image.blockCount == blocks)
    #expect(image.tailBytes == tail)
    #expect(!image.isBlockDevice)
    #expect(image.deallocatedReadsZero)
    #expect(image.alignment == .none)
    #expect(fcntl(image.fileDescriptor, F_GETFL) & (O_ACCMODE | Int32(CLINUX_O_DIRECT)) == O_RDWR)
    #expect(fcntl(image.fileDescriptor, F_GETFD) == FD_CLOEXEC)
  }

  @Test(.enabled(if: directIOWorks, noDirectIO)) func directIOWorksWithTheAlignmentFound() throws {
    let file = try TestImage(size: 64 * 1024)
    try file.fill(0, 64 * 1024, 0x5a)
    let image = try DiskImage(path: file.path)
    #expect(fcntl(image.fileDescriptor, F_GETFL) & Int32(CLINUX_O_DIRECT) != 0)
    let (memory, offset) = (image.alignment.memory, image.alignment.offset)
    #expect(memory.nonzeroBitCount == 1 && offset.nonzeroBitCount == 1)
    let buffer = try MemoryMapping(anonymous: 16 * 1024)
    let start = buffer.base + 4096 + memory
    #expect(pread(image.fileDescriptor, start, offset, offset) == offset)
    #expect(start.load(as: UInt8.self) == 0x5a)
    #expect(pread(image.fileDescriptor, start, offset, offset / 2) == -1)
    #expect(errno == EINVAL)
    #expect(image.allocationUnit >= 512 && image.allocationUnit.nonzeroBitCount == 1)
  }

  @Test(.enabled(if: directIOWorks, noDirectIO)) func whatIsWrittenIsOnTheDisk() throws {
    let file = try TestImage(size: 1 << 20)
    let image = try DiskImage(path: file.path)
    let memory = try MemoryMapping(anonymous: 64 * 1024)
    for index in 0..<64 * 1024 {
      memory.base.storeBytes(of: UInt8(truncatingIfNeeded: index / 512), toByteOffset: index, as: UInt8.self)
    }
    let signal = try EventFD()
    var context = try AIOContext(capacity: 8, eventfd: signal.rawValue)
    let parts = UnsafeMutablePointer<iovec>.allocate(capacity: 2)
    defer { parts.deallocate() }
    parts.initialize(to: iovec(iov_base: memory.base + 32768, iov_len: 8192))
    (parts + 1).initialize(to: iovec(iov_base: memory.base, iov_len: 4096))
    context.prepareWrite(
      slot: 0, fd: image.fileDescriptor, iovecs: parts, count: 2, offset: 512 * 9, cookie: 1, dataSync: true)
    #expect(context.submit() == 0)
    var wait = pollfd(fd: signal.rawValue, events: Int16(POLLIN), revents: 0)
    #expect(poll(&wait, 1, 10_000) == 1)
    #expect(context.nextCompletion() == AIOCompletion(cookie: 1, result: 12288))
    let expected =
      (0..<8192).map { UInt8(truncatingIfNeeded: (32768 + $0) / 512) }
      + (0..<4096).map { UInt8(truncatingIfNeeded: $0 / 512) }
    #expect(file.bytes(512 * 9, 12288) == expected)
    #expect(file.bytes(512 * 8, 512) == [UInt8](repeating: 0, count: 512))
  }

  @Test func refusesWhatIsNoImage() throws {
    let file = try TestImage(size: 511)
    #expect(refusal("/nonexistent/image") == .missing)
    #expect(refusal(file.path + "/below") == .missing)
    #expect(refusal("/var/tmp") == .notAnImage("a directory"))
    #expect(refusal("/dev/null") == .notAnImage("a character device"))
    #expect(refusal(file.path, buffered) == .tooSmall(size: 511, blockSize: .bytes512))
    try file.resize(4095)
    #expect(
      refusal(file.path, ImageOptions(logicalBlockSize: .bytes4096, cache: .buffered))
        == .tooSmall(size: 4095, blockSize: .bytes4096))
    let pipe = file.path + ".pipe"
    try #require(mkfifo(pipe, 0o600) == 0)
    defer { unlink(pipe) }
    #expect(refusal(pipe) == .notAnImage("a pipe"))
    let loop = file.path + ".link"
    try #require(symlink(loop, loop) == 0)
    defer { unlink(loop) }
    #expect(refusal(loop) == .systemCall("stat", Errno(rawValue: ELOOP)))
  }

  @Test(.enabled(if: geteuid() != 0, "root may open everything")) func refusesWithoutPermission() throws {
    let file = try TestImage(size: 4096)
    try #require(chmod(file.path, 0o400) == 0)
    #expect(refusal(file.path) == .noPermission(readOnly: false))
    try #require(chmod(file.path, 0) == 0)
    #expect(refusal(file.path, ImageOptions(readOnly: true)) == .noPermission(readOnly: true))
  }

  @Test func refusesAFilesystemWithoutDirectIO() throws {
    #expect(refusal("/proc/self/status", ImageOptions(readOnly: true)) == .noDirectIO)
    let inherited = try FileDescriptor(path: "/proc/self/status", flags: O_RDONLY)
    let error = #expect(throws: ImageError.self) {
      _ = try DiskImage(descriptor: inherited.duplicate(), name: "fd 7", options: ImageOptions(readOnly: true))
    }
    #expect(error == ImageError(path: "fd 7", reason: .noDirectIO))
  }

  @Test func takesAnInheritedDescriptor() throws {
    let file = try TestImage(size: 8192)
    let number = open(file.path, O_RDWR | O_APPEND)
    try #require(number >= 0)
    let image = try DiskImage(descriptor: FileDescriptor(owning: number), name: "fd", options: buffered)
    #expect(image.fileDescriptor == number)
    #expect(fcntl(number, F_GETFL) & O_APPEND == 0)
    #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
    let data = [UInt8](repeating: 0x77, count: 512)
    #expect(pwrite(number, data, 512, 512) == 512)
    #expect(file.bytes(512, 512) == data)
    #expect(file.bytes(8192, 1) == [])
    #expect(
      image.identity == (try DiskImage(path: file.path, options: ImageOptions(cache: .buffered, lock: false))).identity)
  }

  @Test func refusesADescriptorOfTheWrongMode() throws {
    let file = try TestImage(size: 8192)
    func refusal(_ flags: Int32, readOnly: Bool) throws -> ImageError.Reason? {
      let descriptor = try FileDescriptor(path: file.path, flags: flags)
      do {
        _ = try DiskImage(
          descriptor: descriptor.duplicate(), name: "fd", options: ImageOptions(readOnly: readOnly, cache: .buffered))
        return nil
      } catch let error as ImageError {
        return error.reason
      }
    }
    #expect(try refusal(O_RDONLY, readOnly: false) == .descriptorMode(needsWriting: true))
    #expect(try refusal(O_WRONLY, readOnly: false) == .descriptorMode(needsWriting: true))
    #expect(try refusal(O_WRONLY, readOnly: true) == .descriptorMode(needsWriting: false))
    #expect(try refusal(Int32(CLINUX_O_PATH), readOnly: true) == .descriptorMode(needsWriting: false))
    #expect(try refusal(O_RDONLY, readOnly: true) == nil)
    #expect(try refusal(O_RDWR, readOnly: true) == nil)
    let (reading, _) = try pipeEnd()
    #expect(throws: ImageError(path: "fd", reason: .notAnImage("a pipe"))) {
      _ = try DiskImage(descriptor: FileDescriptor(owning: reading), name: "fd", options: ImageOptions(readOnly: true))
    }
  }

  @Test func oneIdentityForAllPathsOfAFile() throws {
    let file = try TestImage(size: 4096)
    let other = try TestImage(size: 4096)
    let second = file.path + ".second"
    try #require(link(file.path, second) == 0)
    defer { unlink(second) }
    let options = ImageOptions(readOnly: true, cache: .buffered)
    let identity = try DiskImage(path: file.path, options: options).identity
    #expect(try DiskImage(path: second, options: options).identity == identity)
    #expect(try DiskImage(path: other.path, options: options).identity != identity)
  }

  @Test func noticesANewSize() throws {
    let file = try TestImage(size: 8192)
    let image = try DiskImage(path: file.path, options: buffered)
    #expect(try !image.refreshSize())
    try file.resize(1 << 20)
    #expect(image.blockCount == 16)
    #expect(try image.refreshSize())
    #expect(image.blockCount == 2048)
    try file.resize(513)
    #expect(try image.refreshSize())
    #expect(image.size == 513)
    #expect(image.blockCount == 1)
    #expect(image.tailBytes == 1)
  }

  @Test func aFailedSyncIsNotForgotten() throws {
    let file = try TestImage(size: 8192)
    let image = try DiskImage(path: file.path, options: buffered)
    for error in [EINTR, EAGAIN, ENOMEM, EINVAL, EOPNOTSUPP, EBADF, ENOSYS, ECANCELED, 0] {
      image.noteFailedSync(Errno(rawValue: error))
    }
    #expect(image.failedSync == nil)
    #expect(!image.writeCacheFailed)
    image.noteFailedSync(.noSpace)
    image.noteFailedSync(.inputOutput)
    #expect(image.failedSync == .noSpace)
    #expect(image.writeCacheFailed)
  }

  private func pipeEnd() throws -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    close(ends[1])
    return (ends[0], 0)
  }
}

@Suite(.enabled(if: loopDevicesWork, noLoopDevices)) struct BlockDeviceTests {
  @Test func aDeviceTellsItsSizeAndSector() throws {
    let file = try TestImage(size: 1 << 20)
    try LoopDevice.use(over: file.fd) { path in
      let image = try DiskImage(path: path)
      #expect(image.isBlockDevice)
      #expect(image.size == 1 << 20)
      #expect(image.blockCount == 2048)
      #expect(image.alignment.offset == 512)
      #expect(image.allocationUnit == 512)
      #expect(!image.deallocatedReadsZero)
      #expect(image.identity.inode == 0)
      #expect(image.identity.device >> 8 == 7)
    }
  }

  @Test func smallBlocksOnLargeSectorsAreRefused() throws {
    let file = try TestImage(size: 1 << 20)
    try LoopDevice.use(over: file.fd, blockSize: 4096) { path in
      #expect(refusal(path) == .blockSizeTooSmall(.bytes512, required: 4096))
      #expect(refusal(path, ImageOptions(logicalBlockSize: .bytes4096)) == nil)
      #expect(refusal(path, buffered) == nil)
    }
  }

  @Test func aDeviceIsClaimed() throws {
    let file = try TestImage(size: 1 << 20)
    try LoopDevice.use(over: file.fd) { path in
      let writer = try DiskImage(path: path)
      #expect(refusal(path) == .usedTwice)
      #expect(refusal(path, ImageOptions(readOnly: true)) == .usedTwice)
      withExtendedLifetime(writer) {}
    }
  }

  @Test func aDeviceOfAnotherProcessIsNotTaken() throws {
    let file = try TestImage(size: 1 << 20)
    try LoopDevice.use(over: file.fd) { path in
      do {
        let other = try FileDescriptor(path: path, flags: O_RDWR | O_EXCL)
        #expect(refusal(path, isHeld: true) == .deviceBusy)
        try ImageLock.acquire(fd: other.rawValue, readOnly: false)
        #expect(refusal(path, ImageOptions(readOnly: true), isHeld: true) == .locked(readOnly: true))
        _ = other.rawValue
      }
      #expect(refusal(path) == nil)
    }
  }

  @Test func aReadOnlyDeviceIsNotWritten() throws {
    let file = try TestImage(size: 1 << 20)
    try LoopDevice.use(over: file.fd, readOnly: true) { path in
      let reason = refusal(path)
      #expect(reason == .notWritable || reason == .noPermission(readOnly: false))
      let first = try DiskImage(path: path, options: ImageOptions(readOnly: true))
      #expect(refusal(path, ImageOptions(readOnly: true)) == nil)
      withExtendedLifetime(first) {}
    }
  }
}
