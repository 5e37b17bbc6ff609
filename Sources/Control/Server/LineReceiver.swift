import LinuxIO

/// Puts lines together from what a stream socket delivers, with the descriptors that came with each.
///
/// The buffer grows only after it has been filled, so that memory has to be paid for with bytes.
struct LineReceiver: ~Copyable {
  enum Progress: Equatable {
    /// Something was received.
    case received
    /// Nothing is there now.
    case wouldBlock
    /// The peer has closed its writing half.
    case closed
    /// Nothing that can be understood follows.
    case failed(RPCError)
  }

  /// A line, and what came with it.
  struct Line: ~Copyable {
    /// Without its newline.
    let bytes: [UInt8]
    var descriptors: ReceivedDescriptors
  }

  /// Most bytes of a line, if nobody says other.
  static let lineLimit = 1 << 20
  /// Most descriptors of a line: a socket and an image for each namespace.
  static let descriptorLimit = 65
  private static let chunk = 64 << 10

  private var buffer = [UInt8](repeating: 0, count: 4096)
  /// The part of the buffer that holds bytes received and not yet taken.
  private var content = 0..<0
  /// Up to here there is no newline in the content.
  private var searched = 0
  private var descriptors = ReceivedDescriptors(capacity: descriptorLimit)
  /// Where in the buffer the line begins that the descriptors belong to.
  private var descriptorLine = 0
  private let limit: Int

  /// Nothing received.
  ///
  /// - Parameter limit: most bytes of a line.
  init(limit: Int = LineReceiver.lineLimit) { self.limit = limit }

  /// Receives some of what is there. Never waits. After all lines have been taken.
  mutating func receive(from socket: Int32) -> Progress {
    guard content.count <= limit else {
      return .failed(RPCError(.tooLarge, "a message has at most \(limit) bytes"))
    }
    makeRoom()
    let room = content.upperBound..<min(buffer.count, content.upperBound + LineReceiver.chunk)
    let before = descriptors.count
    do throws(Errno) {
      let receipt = try UnixSocket.receive(socket, into: &buffer, at: room, descriptors: &descriptors, wait: false)
      guard !receipt.descriptorsLost else {
        return .failed(
          RPCError(.invalidRequest, "a request brings at most \(LineReceiver.descriptorLimit) descriptors"))
      }
      guard receipt.count > 0 else { return .closed }
      content = content.lowerBound..<content.upperBound + receipt.count
      if descriptors.count > before {
        let line = lastLine(receivedAt: room.lowerBound)
        guard before == 0 || line == descriptorLine else {
          return .failed(RPCError(.invalidRequest, "two requests with descriptors follow each other without a reply"))
        }
        descriptorLine = line
      }
      return .received
    } catch .wouldBlock {
      return .wouldBlock
    } catch {
      return .closed
    }
  }

  /// Takes the next whole line out; nil where there is none.
  mutating func next() -> Line? {
    guard let end = buffer[searched..<content.upperBound].firstIndex(of: UInt8(ascii: "\n")) else {
      searched = content.upperBound
      return nil
    }
    let start = content.lowerBound
    var taken = ReceivedDescriptors(capacity: LineReceiver.descriptorLimit)
    if !descriptors.isEmpty, descriptorLine <= start { swap(&taken, &descriptors) }
    content = end + 1..<content.upperBound
    searched = end + 1
    return Line(bytes: Array(buffer[start..<end]), descriptors: taken)
  }

  /// The kernel ends a receive with the message that descriptors came with: they belong to the last line that begins in
  /// it, or to the one that goes on.
  private func lastLine(receivedAt start: Int) -> Int {
    // A newline at the very end ends that line.
    let received = buffer[start..<content.upperBound - 1]
    return received.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
      ?? (start == content.lowerBound ? start : content.lowerBound)
  }

  /// Makes room behind the content: by moving it to the front, or by a larger buffer.
  private mutating func makeRoom() {
    if content.lowerBound > 0 {
      buffer.removeSubrange(0..<content.lowerBound)
      buffer += repeatElement(0, count: content.lowerBound)
      descriptorLine -= content.lowerBound
      searched -= content.lowerBound
      content = 0..<content.count
    }
    if content.isEmpty, buffer.count > LineReceiver.chunk { buffer = [UInt8](repeating: 0, count: 4096) }
    if content.count == buffer.count { buffer += repeatElement(0, count: buffer.count) }
  }
}
