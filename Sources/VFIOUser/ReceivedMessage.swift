import LinuxIO

/// A message that a client received, with the descriptors that came with it.
public struct ReceivedMessage: ~Copyable, Sendable {
  /// Its header.
  public let header: MessageHeader
  /// What follows the header.
  public let payload: [UInt8]
  /// Its descriptors; those that are not taken are closed with the message.
  public var descriptors: ReceivedDescriptors

  /// The error that the message reports, nil where it reports success.
  public var error: Errno? {
    guard header.flags.contains(.error) else { return nil }
    return Errno(rawValue: Int32(truncatingIfNeeded: header.errorNumber))
  }

  /// Gives the descriptors up.
  consuming func takeDescriptors() -> ReceivedDescriptors { descriptors }
}

/// What a server says about a region, with the descriptor to map it.
public struct RegionDescription: ~Copyable, Sendable {
  /// What it says.
  public let info: RegionInfo
  /// At most one: the file behind the areas that can be mapped.
  public var descriptors: ReceivedDescriptors
}

/// The ioeventfds of a region, with their descriptors.
public struct RegionIOFDsDescription: ~Copyable, Sendable {
  /// The entries; their indices point into `descriptors`.
  public let fds: RegionIOFDs
  /// Each descriptor once.
  public var descriptors: ReceivedDescriptors
}
