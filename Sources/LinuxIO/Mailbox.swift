/// Messages from any thread to one thread, announced by an eventfd.
///
/// For control, never for commands: posting takes a lock and may allocate.
public final class Mailbox<Message: Sendable>: Sendable {
  /// nil: closed.
  private let messages = Locked<[Message]?>([])
  private let event: EventFD

  /// An empty mailbox.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public init() throws(Errno) { event = try EventFD() }

  /// The eventfd to watch for reading.
  public var descriptor: Int32 { event.rawValue }

  /// Adds a message and wakes the owner.
  ///
  /// - Returns: false where nobody takes messages any more (`close`).
  @discardableResult
  public func post(_ message: Message) -> Bool { post(message, limit: .max) }

  /// Adds a message unless `limit` wait already; for messages that an untrusted peer can cause.
  ///
  /// - Returns: whether it was added; never where nobody takes messages any more.
  @discardableResult
  public func post(_ message: Message, limit: Int) -> Bool {
    let added = messages.withLock { queue in
      guard let count = queue?.count, count < limit else { return false }
      queue?.append(message)
      return true
    }
    if added { event.signal() }
    return added
  }

  /// Clears the announcement and takes all messages, in order. By the owner.
  public func takeAll() -> [Message] {
    event.drain()
    return messages.withLock { queue in
      guard let taken = queue else { return [] }
      queue = []
      return taken
    }
  }

  /// Takes all messages, in order, and lets nobody add more. By the owner, when it takes no more.
  public func close() -> [Message] {
    messages.withLock { queue in
      defer { queue = nil }
      return queue ?? []
    }
  }
}
