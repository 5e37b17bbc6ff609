import Glibc

/// Writes what a guest says on its console to a file descriptor, a line at a time.
///
/// Errors are ignored: a guest does not end because nobody listens.
struct ConsoleOutput {
  /// Longest piece that waits for the end of its line.
  private static let capacity = 512

  private let descriptor: Int32
  private var line: [UInt8] = []

  /// An output.
  ///
  /// - Parameter descriptor: the number of a descriptor whose owner outlives it.
  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// Writes a byte.
  mutating func write(_ byte: UInt8) {
    line.append(byte)
    if byte == UInt8(ascii: "\n") || line.count >= ConsoleOutput.capacity { flush() }
  }

  /// Ends the last line where it has no end.
  mutating func finish() { if !line.isEmpty { write(UInt8(ascii: "\n")) } }

  private mutating func flush() {
    var start = 0
    while start < line.count {
      let count = unsafe line.withUnsafeBytes { bytes in
        unsafe bytes.baseAddress.map { unsafe Glibc.write(descriptor, $0 + start, bytes.count - start) } ?? -1
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      start += count
    }
    line.removeAll(keepingCapacity: true)
  }
}
