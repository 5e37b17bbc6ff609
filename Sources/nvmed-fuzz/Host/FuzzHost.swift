import DeviceServer
import Glibc
import LinuxIO

@testable import VFIOUser

/// A client that is as good or bad as the input makes it, in the server's own thread.
final class FuzzHost {
  /// What one reply said.
  struct Answer {
    let error: UInt32
    /// Bytes behind the header.
    let count: Int
    /// The first eight bytes of the data of a region read.
    let value: UInt64
  }

  private struct Expectation {
    let id: UInt16
    let command: UInt16
  }

  /// Requests that are sent before the server is let work on them.
  private static let burst = 16

  let server: InlineServer
  private var socket: FileDescriptor?
  private var nextID: UInt16 = 0
  /// Messages that are not sent yet.
  private var outgoing: [UInt8] = []
  /// Replies that are due.
  private var expected: [Expectation] = []
  /// What was received; one for all inputs.
  nonisolated(unsafe) private static let incoming = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 8)
  private static let room = 65_536
  /// Where in `incoming` the bytes are that were not looked at.
  private var content = 0..<0

  /// Connects to a server that serves one input after the other, as a daemon does.
  init(_ server: InlineServer) {
    self.server = server
    FuzzMemory.reset()
    FuzzDisk.reset()
    connect()
  }

  /// Goes, whatever is in flight, and sees to it that the server has nothing left of it.
  func end() {
    disconnect()
    FuzzAIO.release()
    settle()
    require(!server.isServing, "a client that is gone is still served: \(server.diagnosis)")
    require(FuzzDisk.readOnlyHolds, "a read-only namespace was written to")
  }

  // MARK: The connection

  /// Connects; the client before has gone.
  func connect() {
    var numbers: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &numbers) == 0 else {
      fatalError("no socket: \(Errno.current)")
    }
    socket = FileDescriptor(owning: numbers[0])
    do throws(Errno) { try server.serve(FileDescriptor(owning: numbers[1])) } catch {
      fatalError("no server: \(error)")
    }
  }

  /// Closes the socket, whatever is in flight.
  func disconnect() {
    // Whoever else holds the file for a moment, as a look into /proc does, would put off what the server sees of it.
    if let number = socket?.rawValue { shutdown(number, Int32(SHUT_RDWR)) }
    socket = nil
    outgoing = []
    expected = []
    content = 0..<0
  }

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
  func settle() { require(server.settle(), "the server does not come to rest") }

  /// Throws away what the server said.
  func discardReplies() {
    guard let number = socket?.rawValue else { return }
    while recv(number, FuzzHost.incoming, FuzzHost.room, Int32(MSG_DONTWAIT)) > 0 {}
  }

  // MARK: Requests

  /// Sends a request with others, soon: at `flush` at the latest.
  func post(_ request: Request, descriptor: Int32? = nil, noReply: Bool = false) {
    let id = nextID
    nextID &+= 1
    if !noReply { expected.append(Expectation(id: id, command: request.command.rawValue)) }
    if let descriptor {
      // Descriptors belong to the message that a piece begins with.
      sendOutgoing()
      send(request.message(id: id, noReply: noReply), descriptors: [descriptor])
    } else {
      outgoing += request.message(id: id, noReply: noReply)
    }
  }

  /// Whether so many requests wait that it is time for `flush`.
  var isBurstFull: Bool { expected.count >= FuzzHost.burst || outgoing.count >= FuzzHost.burst << 6 }

  private func sendOutgoing() {
    if outgoing.isEmpty { return }
    send(outgoing)
    outgoing.removeAll(keepingCapacity: true)
  }

  /// Sends what waits, and lets the server work.
  func work() {
    sendOutgoing()
    settle()
  }

  /// Sends what waits and takes all replies, in order.
  func flush(_ body: (Answer) -> Void = { _ in }) {
    work()
    for expectation in expected {
      guard let answer = answer(to: expectation) else {
        require(!isConnected, "no reply to a request")
        break
      }
      body(answer)
    }
    expected.removeAll(keepingCapacity: true)
  }

  /// Whether a reply is there.
  var hasReply: Bool { fill(16) }

  /// Sends a request and takes its reply.
  ///
  /// - Returns: the reply, nil where the client was sent away.
  @discardableResult
  func call(_ request: Request, descriptor: Int32? = nil) -> Answer? {
    post(request, descriptor: descriptor)
    var last: Answer?
    flush { last = $0 }
    return isConnected ? last : nil
  }

  private func answer(to expectation: Expectation) -> Answer? {
    guard fill(MessageHeader.size) else { return nil }
    let start = FuzzHost.incoming + content.lowerBound
    let header = (
      id: start.loadUnaligned(as: UInt16.self), command: start.loadUnaligned(fromByteOffset: 2, as: UInt16.self),
      size: Int(start.loadUnaligned(fromByteOffset: 4, as: UInt32.self)),
      flags: start.loadUnaligned(fromByteOffset: 8, as: UInt32.self),
      error: start.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
    )
    require(header.id == expectation.id, "a reply to another message")
    require(header.command == expectation.command, "a reply to another command")
    require(header.flags & 0xf == 1, "a reply that is none")
    require((header.flags & 0x20 != 0) == (header.error != 0), "an error without its number")
    require(fill(header.size), "half a reply")
    let end = content.lowerBound + header.size
    let data = content.lowerBound + MessageHeader.size + RegionAccess.size
    var value: UInt64 = 0
    if end > data { memcpy(&value, FuzzHost.incoming + data, min(8, end - data)) }
    content = end..<content.upperBound
    return Answer(error: header.error, count: header.size - MessageHeader.size, value: value)
  }

  /// Receives until so many bytes are there.
  private func fill(_ count: Int) -> Bool {
    guard content.count < count else { return true }
    guard let number = socket?.rawValue else { return false }
    if content.lowerBound > 0 {
      memmove(FuzzHost.incoming, FuzzHost.incoming + content.lowerBound, content.count)
      content = 0..<content.count
    }
    while content.count < count {
      let start = content.upperBound
      let received = recv(number, FuzzHost.incoming + start, FuzzHost.room - start, Int32(MSG_DONTWAIT))
      guard received > 0 else { return false }
      content = 0..<start + received
    }
    return true
  }

  /// Agrees on a version.
  func negotiate() {
    outgoing += FuzzHost.version
    expected.append(Expectation(id: 0xffff, command: Command.version.rawValue))
  }

  /// Without capabilities, as the negotiation of those costs more than many a request. `MessagesTarget` has them.
  private static let version = VersionMessage(minor: Session.highestMinor, json: nil)
    .message(id: 0xffff)
}
