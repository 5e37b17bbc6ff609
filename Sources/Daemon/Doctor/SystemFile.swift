import Glibc
import LinuxIO

/// The texts by which the kernel tells what it does, under `/proc` and `/sys`.
enum SystemFile {
  /// The first `limit` bytes of a file; nil where it cannot be read.
  static func text(_ path: String, limit: Int = 1 << 20) -> String? {
    guard let file = try? FileDescriptor(path: path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY) else { return nil }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while bytes.count < limit {
      let count = unsafe read(file.rawValue, &chunk, chunk.count)
      if count == 0 { break }
      if count > 0 {
        bytes += chunk.prefix(count)
      } else if Errno.current != .interrupted {
        return nil
      }
    }
    return String(decoding: bytes.prefix(limit), as: UTF8.self)
  }

  /// The whole number that a file holds, and nothing else; nil where there is none.
  static func number(_ path: String) -> UInt64? {
    guard let text = text(path, limit: 64) else { return nil }
    return UInt64(text.split(whereSeparator: \.isWhitespace).first ?? "")
  }

  /// The word in brackets: the one of several settings that holds; nil where there is none.
  static func choice(_ path: String) -> String? {
    guard let text = text(path, limit: 4096), let open = text.firstIndex(of: "["),
      let close = text[open...].firstIndex(of: "]")
    else { return nil }
    return String(text[text.index(after: open)..<close])
  }
}
