import CLinux
import Glibc
import LinuxIO
import Testing

@testable import Storage

/// An image file of a test's own, on a disk filesystem; removed with it.
final class TestImage: Sendable {
  let path: String
  private let descriptor: FileDescriptor

  init(size: Int) throws {
    var name = Array("/var/tmp/nvmed-storage-XXXXXX".utf8CString)
    let number = mkstemp(&name)
    try #require(number >= 0)
    descriptor = FileDescriptor(owning: number)
    path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    try #require(ftruncate(number, size) == 0)
  }

  deinit { unlink(path) }

  /// A second, buffered way to the data.
  var fd: Int32 { descriptor.rawValue }

  func bytes(_ offset: Int, _ count: Int) -> [UInt8] { readBytes(fd, offset, count) }

  func fill(_ offset: Int, _ count: Int, _ byte: UInt8) throws {
    let data = [UInt8](repeating: byte, count: count)
    try #require(pwrite(fd, data, count, offset) == count)
    try #require(fsync(fd) == 0)
  }

  func resize(_ size: Int) throws { try #require(ftruncate(fd, size) == 0) }

  /// Bytes that the filesystem has allocated to it.
  var allocated: Int {
    var found = stat()
    return fstat(fd, &found) == 0 ? Int(found.st_blocks) * 512 : -1
  }
}

/// Bytes of an open file; fewer at its end.
func readBytes(_ fd: Int32, _ offset: Int, _ count: Int) -> [UInt8] {
  var result = [UInt8](repeating: 0xee, count: count)
  let read = pread(fd, &result, count, offset)
  return Array(result.prefix(max(0, read)))
}

/// Whether direct I/O works where `TestImage` puts its files.
let directIOWorks: Bool = {
  guard let image = try? TestImage(size: 4096) else { return false }
  return (try? DiskImage(path: image.path)) != nil
}()

/// A loop device over a file; detached when the last descriptor of it is closed.
final class LoopDevice: Sendable {
  let path: String
  let descriptor: FileDescriptor

  /// Makes one as long as `body` runs. What has opened it is closed by then, all of it: the kernel gives the same device to
  /// the next who asks, while the claim on an image goes after its descriptor.
  static func use(
    over backing: Int32, blockSize: UInt32 = 512, readOnly: Bool = false, _ body: (String) throws -> Void
  ) throws {
    let device = try #require(LoopDevice(over: backing, blockSize: blockSize, readOnly: readOnly))
    try body(device.path)
    withExtendedLifetime(device) {}
  }

  /// - Returns: nil where this process may not make one.
  init?(over backing: Int32, blockSize: UInt32 = 512, readOnly: Bool = false) {
    let control = open("/dev/loop-control", O_RDWR | O_CLOEXEC)
    guard control >= 0 else { return nil }
    defer { close(control) }
    for _ in 0..<32 {
      let number = ioctl(control, UInt(0x4c82), 0)  // LOOP_CTL_GET_FREE
      guard number >= 0 else { return nil }
      let path = "/dev/loop\(number)"
      let fd = open(path, (readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC)
      guard fd >= 0 else { return nil }
      // struct loop_config of <linux/loop.h>
      var config = [UInt8](repeating: 0, count: 304)
      config.withUnsafeMutableBytes {
        $0.storeBytes(of: UInt32(backing), toByteOffset: 0, as: UInt32.self)
        $0.storeBytes(of: blockSize, toByteOffset: 4, as: UInt32.self)
        // LO_FLAGS_AUTOCLEAR, LO_FLAGS_READ_ONLY
        $0.storeBytes(of: readOnly ? 5 : 4, toByteOffset: 60, as: UInt32.self)
      }
      if ioctl(fd, UInt(0x4c0a), &config) == 0 {  // LOOP_CONFIGURE
        self.path = path
        descriptor = FileDescriptor(owning: fd)
        return
      }
      let taken = errno == EBUSY
      close(fd)
      if !taken { return nil }
    }
    return nil
  }
}

/// Opens an image that somebody has closed before.
///
/// A child that another test has just started has all descriptors of this process until it runs its program, and with them
/// the locks on what is closed here already: that is waited for.
func onceUnlocked<Result: ~Copyable>(_ open: () throws -> Result) throws -> Result {
  let deadline = Clock.monotonic + 120_000_000_000
  while true {
    do { return try open() } catch let error as ImageError {
      switch error.reason {
      case .locked, .deviceBusy: guard Clock.monotonic < deadline else { throw error }
      default: throw error
      }
    }
    sched_yield()
  }
}

/// Whether loop devices can be made here.
let loopDevicesWork: Bool = {
  guard let image = try? TestImage(size: 1 << 20) else { return false }
  return LoopDevice(over: image.fd) != nil
}()
