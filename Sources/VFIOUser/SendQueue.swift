import Glibc
import LinuxIO

/// What could not be sent at once, because the peer does not read as fast as it asks. Bounded in bytes and descriptors.
///
/// Descriptors must go with the first byte of their message, so the queue keeps duplicates of them and never sends a
/// message with descriptors together with one before it.
struct SendQueue: ~Copyable, Sendable {
  private struct Attachment: Sendable {
    /// Where in `bytes` the message begins.
    var position: Int
    var descriptors: [Int32]
  }

  private var bytes: [UInt8] = []
  /// How many of `bytes` are sent.
  private var sent = 0
  private var attachments: [Attachment] = []
  /// How many descriptors wait.
  private var descriptorCount = 0

  init() {}

  deinit { for attachment in attachments { for number in attachment.descriptors { _ = close(number) } } }

  /// Whether nothing waits.
  var isEmpty: Bool { sent == bytes.count }

  /// Sends a message, or as much of it as the socket takes, and keeps the rest.
  ///
  /// - Parameter descriptors: the numbers of the descriptors that go with it; their owners are kept alive by the caller
  ///   during the call.
  /// - Throws: `sendQueueFull` where the bounds are reached, `transport` where the socket fails or descriptors cannot be
  ///   duplicated.
  mutating func send(_ message: [UInt8], descriptors: [Int32], to socket: Int32) throws(ProtocolError) {
    var start = 0
    if isEmpty {
      start = try SendQueue.send(message.span, descriptors, to: socket)
      if start == message.count { return }
    }
    guard bytes.count - sent + message.count - start <= Limits.queuedReplyBytes else { throw .sendQueueFull }
    if start == 0, !descriptors.isEmpty { try attach(descriptors) }
    bytes += message[start...]
  }

  /// Sends as much as the socket takes.
  ///
  /// - Throws: `transport` where the socket fails.
  mutating func flush(to socket: Int32) throws(ProtocolError) {
    while !isEmpty {
      var end = bytes.count
      var descriptors: [Int32] = []
      if let first = attachments.first {
        if first.position > sent {
          end = first.position
        } else {
          descriptors = first.descriptors
          if attachments.count > 1 { end = attachments[1].position }
        }
      }
      let count = try SendQueue.send(bytes.span.extracting(sent..<end), descriptors, to: socket)
      if count == 0 { break }
      if !descriptors.isEmpty { detachFirst() }
      sent += count
    }
    compact()
  }

  private mutating func attach(_ numbers: [Int32]) throws(ProtocolError) {
    guard descriptorCount + numbers.count <= Limits.queuedReplyDescriptors else { throw .sendQueueFull }
    // The attachment is there first, so that what was duplicated is closed whatever happens.
    attachments.append(Attachment(position: bytes.count, descriptors: []))
    for number in numbers {
      let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
      guard copy >= 0 else { throw .transport(Errno.current) }
      attachments[attachments.count - 1].descriptors.append(copy)
      descriptorCount += 1
    }
  }

  private mutating func detachFirst() {
    let first = attachments.removeFirst()
    descriptorCount -= first.descriptors.count
    for number in first.descriptors { _ = close(number) }
  }

  /// Gives the sent part back, once it is all or the larger part.
  private mutating func compact() {
    if isEmpty {
      bytes = []
    } else if sent > bytes.count - sent {
      bytes.removeFirst(sent)
      for index in attachments.indices { attachments[index].position -= sent }
    } else {
      return
    }
    sent = 0
  }

  /// Sends what the socket takes; 0 where it is full.
  private static func send(
    _ bytes: Span<UInt8>, _ descriptors: [Int32], to socket: Int32
  ) throws(ProtocolError) -> Int {
    do throws(Errno) {
      return try UnixSocket.send(socket, bytes, descriptors: descriptors, wait: false)
    } catch .wouldBlock {
      return 0
    } catch {
      throw .transport(error)
    }
  }
}
