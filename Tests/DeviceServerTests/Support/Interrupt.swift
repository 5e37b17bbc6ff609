import Glibc
import LinuxIO

/// An eventfd that a client hands over. A class, as `#expect` copies what it looks at.
final class Interrupt {
  private let event: EventFD

  init() throws { event = try EventFD() }

  /// The descriptor's number.
  var rawValue: Int32 { event.rawValue }

  /// How often it was signalled since the last look.
  func take() -> UInt64 { event.drain() }

  /// Whether it is signalled before patience ends.
  func wait() -> Bool { event.wait(timeout: patience) }

  /// Sets the counter to the most that it can hold: a blocking write would stop its writer.
  func fill() {
    var most = UInt64.max - 1
    _ = write(event.rawValue, &most, 8)
  }
}
