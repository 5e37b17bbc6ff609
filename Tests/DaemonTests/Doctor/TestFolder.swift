import Glibc
import LinuxIO
import Testing

@testable import Daemon

/// A folder of a test's own, on a disk file system; removed with it.
final class TestFolder: Sendable {
  let path: String

  init(in parent: String = "/var/tmp") throws {
    var template = Array("\(parent)/nvmed-doctor-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in entries {
      unlink("\(path)/\(name)")
      rmdir("\(path)/\(name)")
    }
    rmdir(path)
  }

  /// The names of the files in it, hidden ones too.
  var entries: [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Makes a file with that text; its path.
  @discardableResult
  func text(_ name: String, _ text: String) throws -> String {
    let descriptor = try FileDescriptor(path: file(name), flags: O_WRONLY | O_CREAT | O_TRUNC)
    let bytes = Array(text.utf8)
    try #require(write(descriptor.rawValue, bytes, bytes.count) == bytes.count)
    return file(name)
  }

  /// Makes a file of so many bytes that is one hole; its path.
  func image(_ name: String, byteCount: Int) throws -> String {
    let descriptor = try FileDescriptor(path: file(name), flags: O_RDWR | O_CREAT)
    try #require(ftruncate(descriptor.rawValue, byteCount) == 0)
    return file(name)
  }
}

extension [Finding] {
  /// The only finding of that identifier.
  func only(_ identifier: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Finding {
    let found = filter { $0.identifier == identifier }
    try #require(found.count == 1, "\(self)", sourceLocation: sourceLocation)
    return found[0]
  }

  /// Identifiers of the findings with that verdict.
  func identifiers(_ verdict: Finding.Verdict) -> [String] { filter { $0.verdict == verdict }.map(\.identifier) }
}
