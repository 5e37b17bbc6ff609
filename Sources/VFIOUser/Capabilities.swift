import LinuxIO

/// What the sender of a VERSION message says about itself (vfio-user specification, "VFIO_USER_VERSION").
///
/// Keys that it leaves out have the default of the specification; keys that nobody knows are ignored.
public struct Capabilities: Equatable, Sendable, Codable {
  /// `max_msg_fds`: the most file descriptors that it can receive in one message.
  public var maxMessageFDs: UInt64 = 1
  /// `max_data_xfer_size`: the most bytes of data that it accepts in one message.
  public var maxDataTransferSize: UInt64 = 1 << 20
  /// `max_dma_maps`: the most DMA maps at a time.
  public var maxDMAMaps: UInt64 = 65535
  /// `pgsizes`: the page sizes of DMA maps, one bit each.
  public var pageSizes: UInt64 = 4096
  /// `write_multiple`: REGION_WRITE_MULTI is supported.
  public var writeMultiple = false
  /// `twin_socket.supported`: commands of the server may go over a second socket. Read, never agreed to.
  public var twinSocket = false

  /// Largest `max_msg_fds` that is believed, as in libvfio-user.
  private static let largestMaxMessageFDs: UInt64 = 1024

  /// The defaults of the specification.
  public init() {}

  /// What this server says about itself.
  public static var server: Capabilities {
    var own = Capabilities()
    own.maxMessageFDs = 16
    own.maxDataTransferSize = UInt64(Limits.dataTransfer)
    own.maxDMAMaps = UInt64(Limits.dmaMaps)
    own.pageSizes = DMAMap.granularity
    own.writeMultiple = true
    return own
  }

  /// Reads the JSON text of a VERSION message, without its NUL.
  ///
  /// - Throws: `EINVAL` where it is no JSON object, where `capabilities` is no object, or a known key has not the type
  ///   that it must have; `max_msg_fds` must not be above 1024.
  public init(json text: [UInt8]) throws(Errno) {
    guard case .object(let root) = try JSONValue(parsing: text) else { throw .invalidArgument }
    guard let value = root["capabilities"] else { return }
    guard case .object(let members) = value else { throw .invalidArgument }
    maxMessageFDs = try Capabilities.unsigned(members["max_msg_fds"], default: maxMessageFDs)
    maxDataTransferSize = try Capabilities.unsigned(members["max_data_xfer_size"], default: maxDataTransferSize)
    maxDMAMaps = try Capabilities.unsigned(members["max_dma_maps"], default: maxDMAMaps)
    pageSizes = try Capabilities.unsigned(members["pgsizes"], default: pageSizes)
    writeMultiple = try Capabilities.bool(members["write_multiple"])
    if let twin = members["twin_socket"] {
      guard case .object(let twinMembers) = twin else { throw .invalidArgument }
      twinSocket = try Capabilities.bool(twinMembers["supported"])
    }
    guard maxMessageFDs <= Capabilities.largestMaxMessageFDs else { throw .invalidArgument }
  }

  /// The JSON text that says it. Without a twin socket, which nobody here offers.
  ///
  /// It is short whatever the numbers: QEMU refuses a reply that is longer than its own message.
  public var json: [UInt8] {
    var text = "{\"capabilities\":{\"max_msg_fds\":\(maxMessageFDs),\"max_data_xfer_size\":\(maxDataTransferSize)"
    text += ",\"max_dma_maps\":\(maxDMAMaps),\"pgsizes\":\(pageSizes)"
    if writeMultiple { text += ",\"write_multiple\":true" }
    return Array((text + "}}").utf8)
  }

  private static func unsigned(_ value: JSONValue?, default fallback: UInt64) throws(Errno) -> UInt64 {
    guard let value else { return fallback }
    guard case .unsigned(let number) = value else { throw .invalidArgument }
    return number
  }

  private static func bool(_ value: JSONValue?) throws(Errno) -> Bool {
    guard let value else { return false }
    guard case .bool(let flag) = value else { throw .invalidArgument }
    return flag
  }
}
