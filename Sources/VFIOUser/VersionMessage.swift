import LinuxIO

/// The payload of VERSION and of its reply: two numbers, and a JSON text that may be missing.
public struct VersionMessage: Equatable, Sendable {
  /// Bytes before the text.
  static let headSize = 4

  /// The major version; only 0 exists.
  public var major: UInt16
  /// The minor version.
  public var minor: UInt16
  /// The JSON text without its NUL; nil: none, as SPDK's host sends it.
  public var json: [UInt8]?

  /// A version and what its sender says about itself.
  public init(major: UInt16 = 0, minor: UInt16, json: [UInt8]?) {
    self.major = major
    self.minor = minor
    self.json = json
  }

  /// Reads the payload.
  ///
  /// - Throws: `EINVAL` for a payload shorter than the numbers or longer than 4 KiB, and for a text without a NUL at the
  ///   end or with one inside.
  public init(decoding payload: Span<UInt8>) throws(Errno) {
    guard payload.count <= Limits.versionPayload else { throw .invalidArgument }
    major = try payload.integer(at: 0)
    minor = try payload.integer(at: 2)
    if payload.count == VersionMessage.headSize { return }
    var text = payload.copy(from: VersionMessage.headSize)
    guard text.popLast() == 0, !text.contains(0) else { throw .invalidArgument }
    json = text
  }

  /// Appends the payload.
  func encode(to bytes: inout [UInt8]) {
    bytes.append(integer: major)
    bytes.append(integer: minor)
    guard let json else { return }
    bytes += json
    bytes.append(0)
  }

  /// The whole message of a client, header included.
  public func message(id messageID: UInt16) -> [UInt8] {
    var bytes: [UInt8] = []
    MessageHeader(messageID: messageID, commandNumber: Command.version.rawValue)
      .encodeMessage(to: &bytes) { encode(to: &$0) }
    return bytes
  }
}
