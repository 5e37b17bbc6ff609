import Glibc
import LinuxIO

/// What a process says on its standard output and error: gathered by a thread, so that it never waits for its reader.
final class ProcessLog: Sendable {
  private struct Content {
    var text: [UInt8] = []
    var isOver = false
  }

  private final class Shared: Sendable {
    let content = Locked(Content())
    let changed: EventFD
    init() throws(Errno) { changed = try EventFD() }
  }

  private let shared: Shared
  private let thread: Thread

  /// Reads from `source` until nobody holds its other end any more.
  init(_ source: consuming FileDescriptor) throws {
    let shared = try Shared()
    self.shared = shared
    let number = source.release()
    thread = try Thread(name: "log") {
      let source = FileDescriptor(owning: number)
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = read(source.rawValue, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        shared.content.withLock { content in
          if count > 0 { content.text += buffer[..<count] } else { content.isOver = true }
        }
        shared.changed.signal()
        if count <= 0 { return }
      }
    }
  }

  deinit { thread.join() }

  /// Everything so far.
  var text: String { shared.content.withLock { String(decoding: $0.text, as: UTF8.self) } }

  /// Whether the process has closed it, as it does when it ends.
  var isOver: Bool { shared.content.withLock { $0.isOver } }

  /// Waits until the text is as wanted, or over, or the time is. One waiter at a time.
  ///
  /// - Returns: whether it is as wanted.
  func wait(seconds: Int = patience, until isWanted: (String) -> Bool) -> Bool {
    let deadline = Clock.monotonic + UInt64(seconds) * 1_000_000_000
    while true {
      shared.changed.drain()
      let over = isOver
      if isWanted(text) { return true }
      let now = Clock.monotonic
      guard !over, now < deadline else { return false }
      shared.changed.wait(timeout: Int32((deadline - now) / 1_000_000 + 1))
    }
  }

  /// Waits for the end of the process.
  func waitForEnd(seconds: Int = patience) -> Bool {
    _ = wait(seconds: seconds) { _ in isOver }
    return isOver
  }
}

/// Seconds after which a test gives up what should have come at once: a machine whose disk is busy may keep a write for 40 s.
let patience = 120

/// The time, of `Clock.monotonic`, at which a test gives up what it begins now.
func deadline() -> UInt64 { Clock.monotonic + UInt64(patience) * 1_000_000_000 }

/// Whether a deadline has passed.
func isOver(_ deadline: UInt64) -> Bool { Clock.monotonic >= deadline }
