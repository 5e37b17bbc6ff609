import LinuxIO

/// The 16 bytes that begin every message, request and reply (vfio-user specification, "Header").
///
/// All numbers are in the byte order of the host, which is little-endian on every host that this daemon runs on.
public struct MessageHeader: Equatable, Sendable {
  /// Bytes of a header.
  public static let size = 16

  /// Which way a message goes: the lowest four bits of the flags.
  public enum Kind: UInt32, Sendable {
    /// A request.
    case command = 0
    /// The answer to one.
    case reply = 1
  }

  /// The flags: the kind of the message in bits 3:0, and these.
  public struct Flags: OptionSet, Sendable {
    /// The word as it is on the wire.
    public let rawValue: UInt32
    /// Wraps the word as it is on the wire.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The message is a reply.
    public static let reply = Flags(rawValue: 0x1)
    /// The sender of a command does not read a reply: none may be sent, neither of success nor of failure.
    public static let noReply = Flags(rawValue: 0x10)
    /// The command failed; `errorNumber` says why. Replies only.
    public static let error = Flags(rawValue: 0x20)
  }

  /// Chosen by the sender of a command and repeated by the reply. It may be the same for every command.
  public var messageID: UInt16
  /// The number of the command; see `command`.
  public var commandNumber: UInt16
  /// Bytes of the message, this header included.
  public var messageSize: UInt32
  /// Kind and flags. Bits without a meaning are ignored.
  public var flags: Flags
  /// The `errno` of an error reply.
  public var errorNumber: UInt32

  /// The command, where the number is one that the protocol knows.
  public var command: Command? { Command(rawValue: commandNumber) }
  /// The kind, nil for the values that are reserved.
  public var kind: Kind? { Kind(rawValue: flags.rawValue & 0xf) }
  /// Whether the sender of this command reads no reply.
  public var wantsNoReply: Bool { flags.contains(.noReply) }

  /// A header of the given fields.
  public init(
    messageID: UInt16, commandNumber: UInt16, messageSize: UInt32 = UInt32(MessageHeader.size), flags: Flags = [],
    errorNumber: UInt32 = 0
  ) {
    self.messageID = messageID
    self.commandNumber = commandNumber
    self.messageSize = messageSize
    self.flags = flags
    self.errorNumber = errorNumber
  }

  /// The header of the reply to this command: id and command repeated, no payload yet.
  ///
  /// - Parameter error: why the command failed, nil where it succeeded.
  public func replyHeader(error: Errno? = nil) -> MessageHeader {
    MessageHeader(
      messageID: messageID, commandNumber: commandNumber, flags: error == nil ? .reply : [.reply, .error],
      errorNumber: error.map { UInt32(truncatingIfNeeded: $0.rawValue) } ?? 0)
  }

  /// Reads a header from the first 16 bytes.
  ///
  /// - Throws: `EINVAL` where there are fewer.
  public init(decoding bytes: Span<UInt8>) throws(Errno) {
    messageID = try bytes.integer(at: 0)
    commandNumber = try bytes.integer(at: 2)
    messageSize = try bytes.integer(at: 4)
    flags = Flags(rawValue: try bytes.integer(at: 8))
    errorNumber = try bytes.integer(at: 12)
  }

  /// Appends the 16 bytes.
  public func encode(to bytes: inout [UInt8]) {
    bytes.append(integer: messageID)
    bytes.append(integer: commandNumber)
    bytes.append(integer: messageSize)
    bytes.append(integer: flags.rawValue)
    bytes.append(integer: errorNumber)
  }

  /// Replaces `bytes` by a whole message: this header with the size that comes out, and the payload that `body` appends.
  func encodeMessage(to bytes: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
    bytes.removeAll(keepingCapacity: true)
    encode(to: &bytes)
    body(&bytes)
    bytes.replace(integer: UInt32(truncatingIfNeeded: bytes.count), at: 4)
  }
}
