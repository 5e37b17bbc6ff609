import LinuxIO
import VFIOUser

/// The least that a server can be which gets doorbells as messages: it reads REGION_WRITE of 4 bytes, and replies where
/// that is asked for.
enum DoorbellMessages {
  /// Bytes of the request: its header, offset, region and count, and the value.
  private static let requestSize = MessageHeader.size + 20

  /// Reads until the other end hangs up.
  ///
  /// - Parameter body: gets the value of each, before the reply.
  /// - Throws: what the socket and a message that is none throw.
  static func forEach(_ socket: Int32, _ body: (UInt32) -> Void) throws(Errno) {
    var bytes = [UInt8](repeating: 0, count: requestSize)
    var descriptors = ReceivedDescriptors(capacity: 0)
    while true {
      var count = 0
      while count < requestSize {
        let receipt = try UnixSocket.receive(
          socket, into: &bytes, at: count..<requestSize, descriptors: &descriptors, wait: true)
        if receipt.count == 0 { return }
        count += receipt.count
      }
      let header: MessageHeader
      do { header = try MessageHeader(decoding: bytes.span) } catch { throw .protocolError }
      // Little-endian, as the register is.
      body(bytes.suffix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) })
      if header.flags.contains(.noReply) { continue }
      // The reply is the request without its data.
      var reply = header.replyHeader()
      reply.messageSize = UInt32(requestSize - 4)
      var message: [UInt8] = []
      reply.encode(to: &message)
      message += bytes[MessageHeader.size..<requestSize - 4]
      _ = try UnixSocket.send(socket, message.span, wait: true)
    }
  }
}
