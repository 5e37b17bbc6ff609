import LinuxIO

/// The server's end of a connection with one client: receives its commands one after the other and sends the replies.
/// Never waits.
///
/// VERSION is dealt with here: it must come first, and a second one is answered with an error. Everything else is for the
/// caller:
///
/// ```swift
/// switch connection.receive() {
/// case .message:
///   do throws(Errno) { handle(try connection.request()) } catch { connection.reply(.error(error)) }
/// case .wouldBlock: wait until `descriptor` is readable, or writable where `wantsWrite`
/// case .negotiated: continue
/// case .closed, .failed: end
/// }
/// ```
///
/// A client's commands are answered in the order of their arrival, so a command that takes longer is answered before the
/// next one is received. One thread at a time.
///
/// Not here: commands of the server (DMA_READ, DMA_WRITE) and the twin socket for them, which hardly a client serves, and
/// DIRTY_PAGES, which the specification has dropped.
public struct ServerConnection: ~Copyable, Sendable {
  /// What `receive()` found.
  public enum Reception: Equatable, Sendable {
    /// No whole message is there.
    case wouldBlock
    /// Client and server have agreed: `session` is set. Once, before any message.
    case negotiated
    /// A command: `header`, `request()` and `takeDescriptors()`, until the next `receive()`.
    case message
    /// The client has closed between two messages.
    case closed
    /// The connection is of no use any more.
    case failed(ProtocolError)
  }

  private let socket: FileDescriptor
  private let capabilities: Capabilities
  private var receiver: MessageReceiver
  private var queue = SendQueue()
  /// The reply being encoded; kept for its capacity.
  private var outgoing: [UInt8] = []
  private var end: Reception?

  /// What was agreed on; nil before.
  public private(set) var session: Session?

  /// A connection that a client has just opened.
  ///
  /// - Parameters:
  ///   - socket: a connected `AF_UNIX` stream socket; blocking or not.
  ///   - capabilities: what the server says about itself.
  public init(_ socket: consuming FileDescriptor, capabilities: Capabilities = .server) {
    self.socket = socket
    self.capabilities = capabilities
    // Until the client has introduced itself it gets no more memory than a VERSION message needs.
    receiver = MessageReceiver(kind: .command, sizeLimit: MessageHeader.size + Limits.versionPayload)
  }

  /// A connection that another process had, and left between two messages.
  public init(_ socket: consuming FileDescriptor, resuming session: Session) {
    self.socket = socket
    capabilities = session.server
    self.session = session
    receiver = MessageReceiver(kind: .command, sizeLimit: Limits.message)
  }

  /// The socket's number, for an epoll set.
  public var descriptor: Int32 { socket.rawValue }

  /// Whether replies wait for room in the socket: then `flush()` when it is writable.
  public var wantsWrite: Bool { !queue.isEmpty }

  /// Whether the connection could be handed to another process now: nothing is half received and nothing waits to be
  /// sent.
  public var isBetweenMessages: Bool { !receiver.isMidMessage && queue.isEmpty && end == nil }

  /// Gives the socket up.
  public consuming func release() -> FileDescriptor { socket }

  /// The header of the command received.
  public var header: MessageHeader { receiver.header }

  /// Receives the next command, or what is there of it. The one before is forgotten, and those of its descriptors that
  /// nobody took are closed.
  public mutating func receive() -> Reception {
    if let end { return end }
    let reception = progress()
    switch reception {
    case .closed, .failed: end = reception
    case .wouldBlock, .negotiated, .message: break
    }
    return reception
  }

  private mutating func progress() -> Reception {
    switch receiver.receive(from: socket.rawValue) {
    case .wouldBlock: .wouldBlock
    case .closed: .closed
    case .failed(let error): .failed(error)
    case .message: session == nil ? negotiate() : .message
    }
  }

  private mutating func negotiate() -> Reception {
    guard header.command == .version else {
      reply(.error(.invalidArgument))
      return .failed(.commandBeforeVersion(header.commandNumber))
    }
    do throws(Errno) {
      let (session, version) = try receiver.withPayload { (payload) throws(Errno) in
        try Session.negotiate(payload, descriptorCount: receiver.descriptorCount, server: capabilities)
      }
      self.session = session
      receiver.sizeLimit = Limits.message
      if !header.wantsNoReply {
        header.replyHeader().encodeMessage(to: &outgoing) { version.encode(to: &$0) }
        send([])
      }
      return end ?? .negotiated
    } catch {
      reply(.error(error))
      return .failed(.versionRefused(error))
    }
  }

  /// The command received, read and checked.
  ///
  /// - Throws: the error to reply with; the connection goes on.
  public func request() throws(Errno) -> Request {
    if header.command == .regionWriteMulti, session?.writeMultiple != true { throw .notSupported }
    return try receiver.withPayload { (payload) throws(Errno) in
      try Request(header: header, payload: payload, descriptorCount: receiver.descriptorCount)
    }
  }

  /// The descriptors of the command received; empty at the second call.
  public mutating func takeDescriptors() -> ReceivedDescriptors { receiver.takeDescriptors() }

  /// Answers the command received, unless its sender wants no reply.
  ///
  /// A failure to send, or a client that does not read its replies, is reported by the next `receive()`. To a client
  /// that has closed nothing is sent; its last commands can still be received.
  ///
  /// - Parameters:
  ///   - reply: what is answered.
  ///   - descriptors: the numbers of the descriptors that go with it, at most `session.maxReplyDescriptors`; their owners
  ///     are kept alive during the call. They are left out where the reply takes none.
  public mutating func reply(_ reply: Reply, descriptors: [Int32] = []) {
    if header.wantsNoReply || end != nil { return }
    reply.encode(to: &outgoing, answering: header)
    send(reply.takesDescriptors ? descriptors : [])
  }

  /// Sends replies that wait, as far as the socket takes them. A failure is reported by the next `receive()`.
  public mutating func flush() {
    if end != nil { return }
    do throws(ProtocolError) {
      try queue.flush(to: socket.rawValue)
    } catch {
      fail(error)
    }
  }

  private mutating func send(_ descriptors: [Int32]) {
    do throws(ProtocolError) {
      try queue.send(outgoing, descriptors: descriptors, to: socket.rawValue)
    } catch {
      fail(error)
    }
  }

  private mutating func fail(_ error: ProtocolError) {
    switch error {
    case .transport(.brokenPipe), .transport(.connectionReset): queue = SendQueue()
    default: end = .failed(error)
    }
  }
}
