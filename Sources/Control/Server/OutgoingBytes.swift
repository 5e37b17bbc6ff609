import LinuxIO

/// Replies that a client has not taken yet. Bounded.
struct OutgoingBytes: ~Copyable {
  /// Most bytes that wait, besides one reply, if nobody says other.
  static let limit = 4 << 20

  private var bytes: [UInt8] = []
  private var sent = 0
  private let limit: Int

  /// Nothing waits.
  ///
  /// - Parameter limit: most bytes that wait, besides one reply.
  init(limit: Int = OutgoingBytes.limit) { self.limit = limit }

  /// Forgets what waits.
  mutating func removeAll() { (bytes, sent) = ([], 0) }

  /// Whether nothing waits.
  var isEmpty: Bool { sent == bytes.count }

  /// Adds a reply, unless the client is so far behind that there is no room.
  mutating func append(_ reply: [UInt8]) -> Bool {
    if isEmpty {
      (bytes, sent) = (reply, 0)
      return true
    }
    guard bytes.count - sent + reply.count <= limit else { return false }
    bytes += reply
    return true
  }

  /// Sends what the socket takes. Never waits.
  ///
  /// - Throws: what the socket fails with, `EPIPE` where the client is gone.
  mutating func flush(to socket: Int32) throws(Errno) {
    do throws(Errno) {
      while !isEmpty { sent += try UnixSocket.send(socket, bytes.span.extracting(sent..<bytes.count), wait: false) }
    } catch .wouldBlock {
      // What is sent is given back when it is the larger part, so that each byte is moved once.
      guard sent > bytes.count - sent else { return }
      bytes.removeFirst(sent)
      sent = 0
      return
    }
    (bytes, sent) = ([], 0)
  }
}
