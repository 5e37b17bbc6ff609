import Glibc
import LinuxIO
import Testing

/// What a test cannot go on without, in words.
struct TestFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A private folder on a file system with direct I/O: images, sockets and configuration of one test. Removed at the end.
final class TestFolder: Sendable {
  let path: String

  init() throws {
    // A socket's path has at most 107 bytes, so folders with long names are passed over.
    let candidates = [environment("TMPDIR"), binaryFolder, "/var/tmp", "/tmp"].compactMap { $0 }
    for candidate in candidates where candidate.utf8.count < 70 {
      guard let folder = makeFolder(candidate) else { continue }
      if supportsDirectIO(folder) {
        path = folder
        return
      }
      rmdir(folder)
    }
    throw TestFailure("no folder with direct I/O among \(candidates)")
  }

  deinit {
    if let folder = opendir(path) {
      while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        unlink("\(path)/\(name)")
        rmdir("\(path)/\(name)")
      }
      closedir(folder)
    }
    rmdir(path)
  }

  /// The path of a file in it.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Creates an image of zeros; it has holes only.
  func image(_ name: String, byteCount: Int) throws -> ImageFile {
    try ImageFile(path: file(name), byteCount: byteCount)
  }

  /// Creates a text file.
  func text(_ name: String, _ content: String) throws -> String {
    let descriptor = try FileDescriptor(path: file(name), flags: O_WRONLY | O_CREAT | O_TRUNC)
    let bytes = Array(content.utf8)
    guard write(descriptor.rawValue, bytes, bytes.count) == bytes.count else { throw Errno.current }
    return file(name)
  }
}

/// A disk image as the host sees it beside the daemon.
final class ImageFile: Sendable {
  let path: String
  private let descriptor: FileDescriptor

  init(path: String, byteCount: Int) throws {
    self.path = path
    descriptor = try FileDescriptor(path: path, flags: O_RDWR | O_CREAT | O_EXCL)
    guard ftruncate(descriptor.rawValue, byteCount) == 0 else { throw Errno.current }
  }

  /// The number of the host's descriptor.
  var number: Int32 { descriptor.rawValue }

  /// Its bytes from `offset` on.
  func read(at offset: Int, count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard pread(descriptor.rawValue, &bytes, count, offset) == count else {
      throw TestFailure("\(path): \(count) bytes at \(offset) cannot be read")
    }
    return bytes
  }

  /// Stores bytes, before a daemon opens it.
  func write(_ bytes: [UInt8], at offset: Int) throws {
    guard pwrite(descriptor.rawValue, bytes, bytes.count, offset) == bytes.count, fsync(descriptor.rawValue) == 0 else {
      throw Errno.current
    }
  }

  /// Fills its first bytes with ones: reads of holes are over before they are in flight.
  func fill(byteCount: Int) throws {
    try write([UInt8](repeating: 0xFF, count: byteCount), at: 0)
  }

  /// Bytes that its file system has allocated for it (`st_blocks`).
  func allocatedByteCount() throws -> Int { Int(try descriptor.status().st_blocks) * 512 }
}

/// A variable of the environment.
func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

/// The folder of the running test program, which the daemon is built into too.
let binaryFolder: String? = {
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = readlink("/proc/self/exe", &buffer, buffer.count)
  guard count > 0 else { return nil }
  let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  return path.lastIndex(of: "/").map { String(path[..<$0]) }
}()

private func makeFolder(_ parent: String) -> String? {
  var template = Array("\(parent)/nvmed-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { return nil }
  return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func supportsDirectIO(_ folder: String) -> Bool {
  let path = "\(folder)/probe"
  defer { unlink(path) }
  return (try? FileDescriptor(path: path, flags: O_RDWR | O_CREAT | openDirect)) != nil
}

/// `O_DIRECT`, which Swift does not import.
#if arch(arm64)
  let openDirect: Int32 = 0o200000
#else
  let openDirect: Int32 = 0o40000
#endif
