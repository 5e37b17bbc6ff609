/// I/O Command Set Independent Identify Namespace, CNS 08h: 4096 bytes (NVMe base 2.0, 5.17.2).
public struct IdentifyIOCommandSetIndependentNamespace: Equatable, Sendable {
  /// The size of the structure in bytes.
  public static let byteCount = 4096

  var image: ByteImage

  /// Makes a structure of zeros.
  public init() { image = ByteImage(byteCount: Self.byteCount) }

  /// Reads a structure; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    self.image = image
  }

  /// The structure's 4096 bytes.
  public func encode() -> [UInt8] { image.bytes }

  /// NSFEAT: bit 3 identifiers are never reused.
  public var features: UInt8 {
    get { image[0] }
    set { image[0] = newValue }
  }

  /// NMIC: bit 0 more than one controller may attach the namespace.
  public var multipathCapabilities: UInt8 {
    get { image[1] }
    set { image[1] = newValue }
  }

  /// RESCAP: the reservation types.
  public var reservationCapabilities: ReservationCapabilities {
    get { image[options: 2] }
    set { image[options: 2] = newValue }
  }

  /// FPI: bits 6:0 percent left of a format, bit 7 the indicator is supported.
  public var formatProgressIndicator: UInt8 {
    get { image[3] }
    set { image[3] = newValue }
  }

  /// ANAGRPID: the ANA group; 0 for none.
  public var anaGroupIdentifier: UInt32 {
    get { image[4] }
    set { image[4] = newValue }
  }

  /// NSATTR: attributes of the namespace.
  public var attributes: NamespaceAttributes {
    get { image[options: 8] }
    set { image[options: 8] = newValue }
  }

  /// NVMSETID: the NVM set; 0 for none.
  public var nvmSetIdentifier: UInt16 {
    get { image[10] }
    set { image[10] = newValue }
  }

  /// ENDGID: the endurance group; 0 for none.
  public var enduranceGroupIdentifier: UInt16 {
    get { image[12] }
    set { image[12] = newValue }
  }

  /// NSTAT: the state of the namespace.
  public var status: NamespaceStatus {
    get { image[options: 14] }
    set { image[options: 14] = newValue }
  }
}

/// NSTAT: the state of a namespace (NVMe base 2.0, 5.17.2).
@frozen public struct NamespaceStatus: OptionSet, Sendable {
  /// The bits.
  public let rawValue: UInt8

  /// Wraps the bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The namespace is ready (NRDY).
  @inlinable public static var ready: Self { Self(rawValue: 1 << 0) }
}
