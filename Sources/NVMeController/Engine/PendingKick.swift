import Synchronization

/// Whether a thread has been told that doorbells of its queues were announced to another one, and has not looked yet: one
/// message at a time, however often a guest rings. Any thread.
final class PendingKick: Sendable {
  private let isPosted = Atomic(false)

  /// A doorbell was announced.
  ///
  /// - Returns: whether the thread is to be told: a message that it has not taken yet tells it of this one too.
  func post() -> Bool { !isPosted.exchange(true, ordering: .sequentiallyConsistent) }

  /// The thread has taken the message, and looks at the doorbells after this call: an exchange, as a store could become
  /// visible after the look.
  func take() { _ = isPosted.exchange(false, ordering: .sequentiallyConsistent) }
}
