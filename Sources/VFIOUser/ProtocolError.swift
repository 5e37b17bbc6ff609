import LinuxIO

/// Why a connection cannot go on. Unlike an error reply, none of these can be answered: the stream has lost its message
/// boundaries, or the peer does not keep to the protocol.
public enum ProtocolError: Error, Equatable, Sendable {
  /// The peer closed in the middle of a message.
  case truncatedMessage
  /// The size in the header is smaller than a header, or larger than the connection accepts.
  case messageSize(UInt32)
  /// The message is not of the kind that is due: a reply to the server, a command to the client, or neither.
  case messageKind(MessageHeader.Flags)
  /// More descriptors came with one message than the connection accepts, or the kernel dropped some.
  case descriptorsLost
  /// A command before the version was negotiated.
  case commandBeforeVersion(UInt16)
  /// The VERSION message was refused with this error.
  case versionRefused(Errno)
  /// The peer does not read its replies.
  case sendQueueFull
  /// The socket failed.
  case transport(Errno)
}
