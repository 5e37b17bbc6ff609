/// Messages from any thread to one thread, announced by an eventfd.
///
/// For control, never for commands: posting takes a lock and may allocate.
public final class Mailbox<Message: Sendable>: Sendable {
  private let messages = Locked<[Message]>([])
  private let event: EventFD

  /// An empty mailbox.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public init() throws(Errno) { event = try EventFD() }

  /// The eventfd to watch for reading.
  public var descriptor: Int32 { event.rawValue }

  /// Adds a message and wakes the owner.
  public func post(_ message: Message) {
    messages.withLock { $0.append(message) }
    event.signal()
  }

  /// Adds a message unless `limit` wait already; for messages that an untrusted peer can cause.
  ///
  /// - Returns: whether it was added.
  @discardableResult
  public func post(_ message: Message, limit: Int) -> Bool {
    let added = messages.withLock { queue in
      guard queue.count < limit else { return false }
      queue.append(message)
      return true
    }
    if added { event.signal() }
    return added
  }

  /// Clears the announcement and takes all messages, in order. By the owner.
  public func takeAll() -> [Message] {
    event.drain()
    return messages.withLock { queue in
      let taken = queue
      queue = []
      return taken
    }
  }
}
