import DeviceServer
import Glibc
import LinuxIO

@testable import VFIOUser

/// A client that is as good or bad as the input makes it, in the server's own thread.
final class FuzzHost {
  /// Served from one input to the next, as a daemon is.
  nonisolated(unsafe) private static let server: InlineServer = {
    do { return try InlineServer.make(FuzzDisk.options()) } catch { fatalError("\(error)") }
  }()

  /// Pages of the guest's memory.
  static let pageCount = 96
  static let pageSize = 4096

  private(set) var memory: SharedMemory
  private var socket: FileDescriptor?
  private var receiver = MessageReceiver(kind: .reply, sizeLimit: Limits.message)
  private var nextID: UInt16 = 0
  private let server = FuzzHost.server

  init() {
    do {
      memory = try SharedMemory(name: "fuzz", count: FuzzHost.pageCount * FuzzHost.pageSize)
      try connect()
    } catch { fatalError("no client: \(error)") }
  }

  deinit {
    disconnect()
    precondition(server.settle(), "the end of a client never ends")
    // What workers do ends soon.
    for _ in 0..<10_000 where server.isServing { _ = server.turn(timeout: 1) }
    precondition(!server.isServing, "a client that is gone is still served")
  }

  /// The address of a byte of guest memory.
  func address(_ offset: Int) -> UnsafeMutableRawPointer {
    precondition(offset >= 0 && offset < memory.mapping.count)
    return unsafe memory.mapping.base + offset
  }

  // MARK: The connection

  private func connect() throws(Errno) {
    var numbers: [Int32] = [-1, -1]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &numbers) == 0 else { throw .current }
    socket = FileDescriptor(owning: numbers[0])
    try server.serve(FileDescriptor(owning: numbers[1]))
  }

  /// Closes the socket, whatever is in flight.
  func disconnect() { socket = nil }

  /// Whether the client has not gone, and was not sent away.
  var isConnected: Bool { socket != nil && server.isServing }

  /// Sends bytes, whatever they are; what the socket has no room for is lost.
  func send(_ bytes: [UInt8], descriptors: [Int32] = []) {
    guard let number = socket?.rawValue else { return }
    var sent = 0
    while sent < bytes.count {
      do throws(Errno) {
        sent += try UnixSocket.send(
          number, bytes.span.extracting(sent...), descriptors: sent == 0 ? descriptors : [], wait: false)
      } catch .wouldBlock {
        settle()
        discardReplies()
      } catch {
        return
      }
      if !server.isServing { return }
    }
  }

  /// Lets the server do all that it can.
  func settle() { precondition(server.settle(), "the server does not come to rest") }

  /// Lets the server do what comes of itself within a millisecond, such as what workers finish.
  func wait() { _ = server.turn(timeout: 1) }

  /// Throws away what the server said.
  func discardReplies() {
    guard let number = socket?.rawValue else { return }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while unsafe recv(number, &buffer, buffer.count, Int32(MSG_DONTWAIT)) > 0 {}
  }

  /// Sends a command and takes its reply.
  ///
  /// - Returns: the reply, nil where the client was sent away.
  func call(_ request: Request, descriptors: [Int32] = []) -> ReceivedMessage? {
    guard let number = socket?.rawValue else { return nil }
    let id = nextID
    nextID &+= 1
    send(request.message(id: id), descriptors: descriptors)
    // Workers may have a part in it.
    for _ in 0..<10_000 {
      settle()
      switch receiver.receive(from: number) {
      case .message:
        precondition(receiver.header.messageID == id, "a reply to another message")
        precondition(receiver.header.commandNumber == request.command.rawValue, "a reply to another command")
        let payload = receiver.withPayload { $0.copy(from: 0) }
        return ReceivedMessage(header: receiver.header, payload: payload, descriptors: receiver.takeDescriptors())
      case .wouldBlock: wait()
      case .closed, .failed: return nil
      }
    }
    fatalError("\(request.command): no reply")
  }

  /// Agrees on a version.
  func negotiate() {
    send(VersionMessage(minor: Session.highestMinor, json: Capabilities.server.json).message(id: nextID))
    nextID &+= 1
    settle()
    discardReplies()
  }
}
