import Glibc
import LinuxIO

/// The client's end of a connection: sends commands and waits for their replies, as a VMM does.
///
/// A reply is awaited for a bounded time, so that a server that hangs is an error and not a hang. One thread at a time.
/// Errors of every call: what the error reply says; `EPROTO` for a reply that does not belong to the command or cannot be
/// read; `ETIMEDOUT`; `ECONNRESET` where the server has closed; what the socket says. After one that is not the server's
/// answer the connection is of no use.
public struct ClientConnection: ~Copyable, Sendable {
  private let socket: FileDescriptor
  private let timeout: Int32
  private var receiver = MessageReceiver(kind: .reply, sizeLimit: Limits.message)
  private var nextID: UInt16 = 0

  /// What was agreed on; nil before `negotiate`.
  public private(set) var session: Session?

  /// Connects to the server that listens at `path`.
  ///
  /// - Parameters:
  ///   - path: at most 107 bytes.
  ///   - timeout: how long a reply, or room in the socket, is awaited, in ms; QEMU waits 5 s.
  /// - Throws: what `UnixSocket.connect` throws.
  public init(path: String, timeout: Int32 = 120_000) throws(Errno) {
    self.init(try UnixSocket.connect(path: path), timeout: timeout)
  }

  /// A client on a socket that is already connected.
  public init(_ socket: consuming FileDescriptor, timeout: Int32 = 120_000) {
    self.socket = socket
    self.timeout = timeout
  }

  /// The socket's number.
  public var descriptor: Int32 { socket.rawValue }

  /// Sends VERSION and reads the answer.
  ///
  /// - Parameters:
  ///   - minor: the minor version to ask for: QEMU 0, cloud-hypervisor 1.
  ///   - json: what the client says about itself; nil: nothing, as SPDK's host.
  @discardableResult
  public mutating func negotiate(
    minor: UInt16 = Session.highestMinor, json: [UInt8]? = Capabilities.server.json
  ) throws(Errno) -> Session {
    let id = takeID()
    try send(bytes: VersionMessage(minor: minor, json: json).message(id: id))
    let reply = try awaitReply(id: id, command: .version)
    let session = try Self.decoded { () throws(Errno) in
      let version = try VersionMessage(decoding: reply.payload.span)
      guard version.major == Session.major, version.minor <= minor else { throw .protocolError }
      return Session(
        minor: version.minor, client: try json.map(Capabilities.init(json:)) ?? Capabilities(),
        server: try version.json.map(Capabilities.init(json:)) ?? Capabilities())
    }
    self.session = session
    return session
  }

  /// Sends a command and waits for its reply.
  ///
  /// - Parameters:
  ///   - request: the command.
  ///   - descriptors: the numbers of the descriptors that go with it; their owners are kept alive during the call.
  public mutating func call(_ request: Request, descriptors: [Int32] = []) throws(Errno) -> ReceivedMessage {
    try awaitReply(id: try start(request, descriptors: descriptors), command: request.command)
  }

  /// Sends a command without waiting for its reply, which `awaitReply` reads: several can be under way.
  ///
  /// - Returns: the id of the message.
  public mutating func start(_ request: Request, descriptors: [Int32] = []) throws(Errno) -> UInt16 {
    let id = takeID()
    try send(bytes: request.message(id: id), descriptors: descriptors)
    return id
  }

  /// Sends a command with the flag that no reply is wanted.
  public mutating func post(_ request: Request, descriptors: [Int32] = []) throws(Errno) {
    try send(bytes: request.message(id: takeID(), noReply: true), descriptors: descriptors)
  }

  /// Waits for the reply to a command that was started. Replies come in the order of the commands.
  ///
  /// - Throws: what the error reply says; `EPROTO` where the next reply belongs to another command.
  public mutating func awaitReply(id: UInt16, command: Command) throws(Errno) -> ReceivedMessage {
    let message = try receiveMessage()
    guard message.header.messageID == id, message.header.commandNumber == command.rawValue else { throw .protocolError }
    if let error = message.error { throw error }
    return message
  }

  /// Sends bytes as they are, in one `sendmsg` where they fit into the socket.
  ///
  /// - Parameters:
  ///   - bytes: a message, or what is none.
  ///   - descriptors: the numbers of the descriptors that go with the first byte.
  public borrowing func send(bytes: [UInt8], descriptors: [Int32] = []) throws(Errno) {
    var sent = 0
    while sent < bytes.count {
      do throws(Errno) {
        let rest = bytes.span.extracting(sent...)
        sent += try UnixSocket.send(descriptor, rest, descriptors: sent == 0 ? descriptors : [], wait: false)
      } catch .wouldBlock {
        try wait(for: Int16(POLLOUT))
      } catch .brokenPipe {
        throw .connectionReset
      }
    }
  }

  /// Waits for the next reply, whatever it answers.
  ///
  /// - Throws: `ETIMEDOUT`; `ECONNRESET` where the server has closed; `EPROTO` for what is no reply.
  public mutating func receiveMessage() throws(Errno) -> ReceivedMessage {
    while true {
      switch receiver.receive(from: descriptor) {
      case .message:
        let payload = receiver.withPayload { $0.copy(from: 0) }
        return ReceivedMessage(header: receiver.header, payload: payload, descriptors: receiver.takeDescriptors())
      case .wouldBlock: try wait(for: Int16(POLLIN))
      case .closed, .failed(.truncatedMessage): throw .connectionReset
      case .failed(.transport(let error)): throw error
      case .failed: throw .protocolError
      }
    }
  }

  private mutating func takeID() -> UInt16 {
    defer { nextID &+= 1 }
    return nextID
  }

  /// Runs a decoder: what it does not like is the server's fault.
  static func decoded<Result>(_ decode: () throws(Errno) -> Result) throws(Errno) -> Result {
    do throws(Errno) { return try decode() } catch { throw .protocolError }
  }

  private borrowing func wait(for events: Int16) throws(Errno) {
    var entry = pollfd(fd: descriptor, events: events, revents: 0)
    let ready = unsafe poll(&entry, 1, timeout)
    if ready == 0 { throw Errno(rawValue: ETIMEDOUT) }
    if ready < 0 {
      let error = Errno.current
      if error != .interrupted { throw error }
    }
  }
}
