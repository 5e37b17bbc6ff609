import GuestMemory
import LinuxIO
import NVMeController

/// What other threads ask of a control thread.
enum ControlRequest: Sendable {
  /// The server ends.
  case stop
  /// Called by the thread: it is alive.
  case ping(@Sendable () -> Void)
  /// What it is doing.
  case status(Answer<DeviceStatus>)
  /// A namespace comes, changes its size, or goes (nil): answered when it is shown, or when nothing uses it any more;
  /// with false where its place is still in use.
  case setNamespace(UInt32, Namespace?, Answer<Bool>)
  /// Other rate limits; answered when commands obey them.
  case setLimits(RateLimits, Answer<Bool>)
  /// Answered at a moment at which nothing is in flight and everything is durable; with false where a flush failed.
  case drain(Answer<Bool>)
  /// The last commands that failed, the newest first.
  case errorLog(Answer<[ErrorLog.Entry]>)
  /// The guest memory that the client has mapped, in ascending order.
  case dmaMap(Answer<[MemoryRegion]>)
}

extension ControlRequest {
  /// Answers it where the thread has ended: there is no client, and nothing is in flight or comes any more.
  func answerAtEnd() {
    switch self {
    case .stop: break
    case .ping(let answer): answer()
    case .status(let answer): answer.give(.idle)
    case .setNamespace(_, _, let answer), .setLimits(_, let answer), .drain(let answer): answer.give(true)
    case .errorLog(let answer): answer.give([])
    case .dmaMap(let answer): answer.give([])
    }
  }
}

/// An answer that one thread waits for and another gives, once.
final class Answer<Value: Sendable>: Sendable {
  private let value = Locked<Value?>(nil)
  private let event: EventFD

  /// No answer yet.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  init() throws(Errno) { event = try EventFD() }

  /// Gives it. Whoever waited may not wait any more.
  func give(_ value: Value) {
    self.value.withLock { $0 = value }
    event.signal()
  }

  /// Waits for it.
  ///
  /// - Parameter milliseconds: how long; -1: for ever.
  /// - Returns: nil where there was none in that time.
  func wait(milliseconds: Int32) -> Value? {
    event.wait(timeout: milliseconds)
    return value.withLock { $0 }
  }
}
