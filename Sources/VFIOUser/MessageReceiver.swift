import LinuxIO

/// Puts messages together from what a stream socket delivers: exactly the 16 bytes of a header, then exactly the rest.
///
/// Never more is asked for, so that no two messages run together: descriptors would be taken for those of the wrong one.
/// The buffer grows only after it has been filled, so that memory has to be paid for with bytes.
struct MessageReceiver: ~Copyable, Sendable {
  enum Progress: Equatable {
    /// No whole message is there yet.
    case wouldBlock
    /// A whole message: `header`, `payload` and `takeDescriptors()`, until the next receive.
    case message
    /// The peer has closed between two messages.
    case closed
    /// Nothing more can be received.
    case failed(ProtocolError)
  }

  private static let initialCapacity = 4096

  /// The kind of message that is due; any other ends the connection.
  private let kind: MessageHeader.Kind
  /// The most bytes of a message.
  var sizeLimit: Int

  /// The header of the message received.
  private(set) var header = MessageHeader(messageID: 0, commandNumber: 0)
  private var buffer = [UInt8](repeating: 0, count: initialCapacity)
  private var descriptors = ReceivedDescriptors(capacity: Limits.descriptors)
  /// How many bytes of the message are there, and how many it has as far as that is known.
  private var received = 0
  private var size = MessageHeader.size
  private var isComplete = false

  init(kind: MessageHeader.Kind, sizeLimit: Int) {
    self.kind = kind
    self.sizeLimit = sizeLimit
  }

  /// Whether a message has begun to arrive and is not complete.
  var isMidMessage: Bool { !isComplete && received > 0 }

  /// How many descriptors came with the message.
  var descriptorCount: Int { descriptors.count }

  /// Hands the payload of the message received to `body`: no bytes where none is complete.
  func withPayload<Result, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(buffer.span.extracting(MessageHeader.size..<(isComplete ? size : MessageHeader.size)))
  }

  /// The descriptors of the message received. Those that are not taken are closed by the next receive.
  mutating func takeDescriptors() -> ReceivedDescriptors {
    var taken = ReceivedDescriptors(capacity: Limits.descriptors)
    swap(&taken, &descriptors)
    return taken
  }

  /// Receives what is there of one message. Never waits.
  mutating func receive(from socket: Int32) -> Progress {
    if isComplete { begin() }
    do throws(Errno) {
      while received < size {
        if received == buffer.count {
          buffer += repeatElement(0, count: min(buffer.count, size - received))
        }
        let range = received..<min(size, buffer.count)
        let receipt = try UnixSocket.receive(socket, into: &buffer, at: range, descriptors: &descriptors, wait: false)
        if receipt.count == 0 { return ended() }
        if receipt.descriptorsLost { return .failed(.descriptorsLost) }
        received += receipt.count
        if received == MessageHeader.size, let error = try readHeader() { return .failed(error) }
      }
    } catch .wouldBlock {
      return .wouldBlock
    } catch .connectionReset {
      return ended()  // The peer closed without reading all that it was sent.
    } catch {
      return .failed(.transport(error))
    }
    isComplete = true
    return .message
  }

  private mutating func begin() {
    descriptors.removeAll()
    received = 0
    size = MessageHeader.size
    isComplete = false
  }

  private func ended() -> Progress { received == 0 ? .closed : .failed(.truncatedMessage) }

  private mutating func readHeader() throws(Errno) -> ProtocolError? {
    header = try MessageHeader(decoding: buffer.span)
    guard header.messageSize >= MessageHeader.size, header.messageSize <= sizeLimit else {
      return .messageSize(header.messageSize)
    }
    guard header.kind == kind else { return .messageKind(header.flags) }
    size = Int(header.messageSize)
    return nil
  }
}
