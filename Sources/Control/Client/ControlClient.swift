import FoundationEssentials
import Glibc
import LinuxIO

/// A connection to a daemon's control socket. One thread at a time; calls wait for their replies.
public struct ControlClient: ~Copyable {
  /// Most bytes of a reply.
  private static let replyLimit = 64 << 20

  private let socket: FileDescriptor
  private var received: [UInt8] = []
  private var nextIdentifier: Int64 = 1

  /// Connects.
  ///
  /// - Parameter patience: seconds that a reply may take; nil: any time, as for what waits for a guest.
  /// - Throws: `cannotConnect`.
  public init(path: String, patience: Int? = nil) throws(ControlClientError) {
    do throws(Errno) { socket = try UnixSocket.connect(path: path) } catch { throw .cannotConnect(path: path, error) }
    guard let patience else { return }
    var time = timeval(tv_sec: patience, tv_usec: 0)
    _ = unsafe setsockopt(
      socket.rawValue, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  /// Takes a connected socket.
  init(_ socket: consuming FileDescriptor) { self.socket = socket }

  /// Calls a method and waits for its result.
  ///
  /// - Parameters:
  ///   - parameters: an object.
  ///   - descriptors: the numbers of descriptors to hand over, at most 65.
  /// - Throws: `refused` where the daemon refuses it, `broken` where the connection ends.
  public mutating func call<Result: Decodable>(
    _ method: String, _ parameters: some Encodable = NoResult(), descriptors: [Int32] = [],
    returning _: Result.Type = Result.self
  ) throws(ControlClientError) -> Result {
    let identifier = nextIdentifier
    nextIdentifier += 1
    var line: [UInt8]
    do throws(RPCError) {
      line = try Reply.json(Request(jsonrpc: "2.0", id: identifier, method: method, params: parameters))
    } catch { throw .refused(error) }
    line.append(UInt8(ascii: "\n"))
    // A daemon that refuses a client says so and closes: what it said is worth more than that it closed.
    let sent = send(line, descriptors)
    while let text = try receiveLine(sent) {
      let reply: IncomingReply<Result>
      do { reply = try JSONDecoder().decode(IncomingReply<Result>.self, from: Data(text)) } catch {
        throw .broken("the daemon's reply is not understood; is it another version of nvmed?")
      }
      if let error = reply.error, reply.id == nil || reply.id == identifier { throw .refused(error) }
      if reply.id == identifier, let result = reply.result { return result }
    }
    throw .broken("the daemon closed the connection before it replied")
  }

  private func send(_ line: [UInt8], _ descriptors: [Int32]) -> Errno? {
    var sent = 0
    do throws(Errno) {
      while sent < line.count {
        sent += try UnixSocket.send(
          socket.rawValue, line.span.extracting(sent..<line.count), descriptors: sent == 0 ? descriptors : [],
          wait: true)
      }
    } catch { return error }
    return nil
  }

  /// The next line; nil at the end.
  private mutating func receiveLine(_ failure: Errno?) throws(ControlClientError) -> [UInt8]? {
    var none = ReceivedDescriptors(capacity: 0)
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    var searched = 0
    while true {
      if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(received[..<end])
        received.removeFirst(end + 1)
        return line
      }
      searched = received.count
      guard received.count <= ControlClient.replyLimit else { throw .broken("the daemon's reply is too large") }
      do throws(Errno) {
        let receipt = try UnixSocket.receive(
          socket.rawValue, into: &buffer, at: 0..<buffer.count, descriptors: &none, wait: true)
        guard receipt.count > 0 else { return nil }
        received += buffer[..<receipt.count]
      } catch .wouldBlock {
        throw .broken("the daemon does not reply in time")
      } catch {
        throw .broken("the connection to the daemon broke: \(failure ?? error)")
      }
    }
  }
}

private struct Request<Parameters: Encodable>: Encodable {
  let jsonrpc: String
  let id: Int64
  let method: String
  let params: Parameters
}

private struct IncomingReply<Result: Decodable>: Decodable {
  let id: Int64?
  let result: Result?
  let error: RPCError?
}
