import Glibc
import LinuxIO
import Testing

@testable import Storage

/// An image file of a test's own, on a disk filesystem; removed with it.
final class TestImage: Sendable {
  let path: String
  private let descriptor: FileDescriptor

  init(size: Int) throws {
    var name = Array("/var/tmp/nvmed-controller-XXXXXX".utf8CString)
    let number = mkstemp(&name)
    try #require(number >= 0)
    descriptor = FileDescriptor(owning: number)
    path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    try #require(ftruncate(number, size) == 0)
  }

  deinit { unlink(path) }

  /// What the file holds.
  func bytes(_ offset: Int, _ count: Int) -> [UInt8] {
    var result = [UInt8](repeating: 0xee, count: count)
    let read = pread(descriptor.rawValue, &result, count, offset)
    return Array(result.prefix(max(0, read)))
  }

  func write(_ bytes: [UInt8], at offset: Int) throws {
    try #require(pwrite(descriptor.rawValue, bytes, bytes.count, offset) == bytes.count)
    try #require(fsync(descriptor.rawValue) == 0)
  }

  func resize(_ size: Int) throws { try #require(ftruncate(descriptor.rawValue, size) == 0) }

  /// Bytes that the filesystem has allocated to it.
  var allocated: Int {
    var found = stat()
    return fstat(descriptor.rawValue, &found) == 0 ? Int(found.st_blocks) * 512 : -1
  }

  /// A backend on it, with direct I/O.
  func backend(
    blockSize: LogicalBlockSize = .bytes512, isReadOnly: Bool = false, cache: ImageOptions.Cache = .direct,
    gate: Gate? = nil
  ) throws -> BlockBackend {
    let options = ImageOptions(readOnly: isReadOnly, logicalBlockSize: blockSize, cache: cache, lock: false)
    return BlockBackend(
      image: try DiskImage(path: path, options: options, calls: gate?.systemCalls ?? .system))
  }
}
