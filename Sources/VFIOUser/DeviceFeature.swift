import LinuxIO

/// DEVICE_FEATURE and its reply: `struct vfio_device_feature` of `linux/vfio.h`.
///
/// A reply to `get` carries the data; a reply to `set` or `probe` repeats the request.
public struct DeviceFeature: Equatable, Sendable {
  /// Bytes of the struct before the data.
  public static let size = 8

  /// What is asked.
  public struct Operations: OptionSet, Sendable {
    /// Bits 18:16 of the flags.
    public let rawValue: UInt32
    /// Wraps bits 18:16 of the flags.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The feature's data is read.
    public static let get = Operations(rawValue: 1 << 16)
    /// The feature's data is written.
    public static let set = Operations(rawValue: 1 << 17)
    /// Only whether the feature, with the other operations named, is supported.
    public static let probe = Operations(rawValue: 1 << 18)
  }

  /// The features that the specification names (`VFIO_DEVICE_FEATURE_*`).
  public enum Feature: UInt16, Sendable {
    /// Which migration the device can do.
    case migration = 1
    /// The state of a migration.
    case migrationDeviceState = 2
    /// Starts dirty tracking.
    case dmaLoggingStart = 6
    /// Stops dirty tracking.
    case dmaLoggingStop = 7
    /// Reports dirty pages.
    case dmaLoggingReport = 8
  }

  /// Bytes at the sender for the struct and its data: `argsz`.
  public var room: UInt32
  /// The number of the feature; see `Feature`.
  public var featureNumber: UInt16
  /// What is asked.
  public var operations: Operations
  /// The feature's data.
  public var data: [UInt8]

  /// The feature, where the specification names it.
  public var feature: Feature? { Feature(rawValue: featureNumber) }

  /// A feature with its data.
  ///
  /// - Parameters:
  ///   - feature: which.
  ///   - operations: whether it is read, set or asked for.
  ///   - data: behind the header.
  ///   - room: bytes for the struct and its data; nil: as many as they have.
  public init(_ feature: Feature, _ operations: Operations, data: [UInt8] = [], room: UInt32? = nil) {
    featureNumber = feature.rawValue
    self.operations = operations
    self.data = data
    self.room = room ?? UInt32(truncatingIfNeeded: DeviceFeature.size + data.count)
  }

  /// Reads a request or a reply.
  ///
  /// - Throws: `EINVAL` for a short payload, an `argsz` below it, unknown flags, or, without `probe`, not exactly one of
  ///   `get` and `set`.
  init(decoding payload: Span<UInt8>) throws(Errno) {
    room = try payload.integer(at: 0)
    let flags: UInt32 = try payload.integer(at: 4)
    featureNumber = UInt16(truncatingIfNeeded: flags)
    operations = Operations(rawValue: flags & ~0xffff)
    data = payload.copy(from: DeviceFeature.size)
    guard room >= payload.count, operations.isSubset(of: [.get, .set, .probe]) else { throw .invalidArgument }
    guard operations.contains(.probe) || operations == .get || operations == .set else { throw .invalidArgument }
  }

  /// Appends the struct and its data.
  func encode(to bytes: inout [UInt8]) {
    bytes.append(integer: room)
    bytes.append(integer: UInt32(featureNumber) | operations.rawValue)
    bytes += data
  }
}
