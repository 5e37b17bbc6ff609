import LinuxIO

/// What client and server agreed on with the VERSION message. It lasts as long as the connection, and can be handed to
/// the process that takes the connection over.
public struct Session: Equatable, Sendable, Codable {
  /// The major version that exists.
  public static let major: UInt16 = 0
  /// The highest minor version known here.
  public static let highestMinor: UInt16 = 1

  /// The minor version: the lower one of both sides.
  public let minor: UInt16
  /// What the client said about itself.
  public let client: Capabilities
  /// What the server said about itself.
  public let server: Capabilities

  /// An agreement that was reached.
  public init(minor: UInt16, client: Capabilities, server: Capabilities) {
    self.minor = minor
    self.client = client
    self.server = server
  }

  /// Whether REGION_WRITE_MULTI may be used: both sides said so.
  public var writeMultiple: Bool { client.writeMultiple && server.writeMultiple }

  /// The most descriptors that may go to the client with one message.
  public var maxReplyDescriptors: Int { Int(min(client.maxMessageFDs, UInt64(UnixSocket.maxDescriptors))) }

  /// Answers the VERSION message of a client.
  ///
  /// - Parameters:
  ///   - payload: what follows its header.
  ///   - descriptorCount: how many descriptors came with it.
  ///   - server: what the server says about itself.
  /// - Returns: the agreement, and the payload of the reply.
  /// - Throws: `EINVAL` for another major version, for descriptors, and for a text that cannot be read. The connection
  ///   ends after such an error.
  public static func negotiate(
    _ payload: Span<UInt8>, descriptorCount: Int, server: Capabilities
  ) throws(Errno) -> (session: Session, reply: VersionMessage) {
    let request = try VersionMessage(decoding: payload)
    guard request.major == major, descriptorCount == 0 else { throw .invalidArgument }
    var client = Capabilities()
    if let json = request.json { client = try Capabilities(json: json) }
    let session = Session(minor: min(request.minor, highestMinor), client: client, server: server)
    // The text is sent also to a client that sent none: cloud-hypervisor cannot do without, and nobody minds it.
    return (session, VersionMessage(major: major, minor: session.minor, json: server.json))
  }
}
