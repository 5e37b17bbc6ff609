/// A name of a namespace: an entry of CNS 03h (NVMe base 2.0, 5.17.2).
public enum NamespaceIdentificationDescriptor: Equatable, Sendable {
  /// EUI64: 8 bytes, the most significant first.
  case eui64([UInt8])
  /// NGUID: 16 bytes, the most significant first.
  case nguid([UInt8])
  /// UUID: 16 bytes, in the order in which they are written out.
  case uuid([UInt8])
  /// CSI: the I/O command set; see ``CommandSetIdentifier``.
  case commandSetIdentifier(UInt8)

  /// NIDT: the type of the descriptor.
  public var type: UInt8 {
    switch self {
    case .eui64: 1
    case .nguid: 2
    case .uuid: 3
    case .commandSetIdentifier: 4
    }
  }

  /// NID: the identifier, cut or filled with zeros to the length of its type.
  public var identifier: [UInt8] {
    switch self {
    case .eui64(let bytes): Self.exactly(8, of: bytes)
    case .nguid(let bytes), .uuid(let bytes): Self.exactly(16, of: bytes)
    case .commandSetIdentifier(let identifier): [identifier]
    }
  }

  /// Makes a descriptor of its type and identifier; nil if the type is unknown or the length is not that of the type.
  public init?(type: UInt8, identifier: [UInt8]) {
    switch (type, identifier.count) {
    case (1, 8): self = .eui64(identifier)
    case (2, 16): self = .nguid(identifier)
    case (3, 16): self = .uuid(identifier)
    case (4, 1): self = .commandSetIdentifier(identifier[0])
    default: return nil
    }
  }

  private static func exactly(_ count: Int, of bytes: [UInt8]) -> [UInt8] {
    [UInt8](bytes.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - bytes.count))
  }
}

/// The names of a namespace, CNS 03h: 4096 bytes (NVMe base 2.0, 5.17.2).
public struct NamespaceIdentificationDescriptorList: Equatable, Sendable {
  /// The size of the list in bytes.
  public static let byteCount = 4096

  /// The descriptors.
  public var descriptors: [NamespaceIdentificationDescriptor]

  /// Makes a list of `descriptors`.
  public init(_ descriptors: [NamespaceIdentificationDescriptor] = []) { self.descriptors = descriptors }

  /// Reads a list; nil if `bytes` are fewer than ``byteCount``.
  ///
  /// The list ends at a length of 0 and at a descriptor that would pass the end; one of unknown type or length is
  /// skipped.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    descriptors = []
    var offset = 0
    while offset + 4 <= Self.byteCount {
      let type: UInt8 = image[offset]
      let length = Int(image[offset + 1] as UInt8)
      guard length != 0, offset + 4 + length <= Self.byteCount else { break }
      let identifier = image[bytesAt: offset + 4, count: length]
      if let descriptor = NamespaceIdentificationDescriptor(type: type, identifier: identifier) {
        descriptors.append(descriptor)
      }
      offset += 4 + length
    }
  }

  /// The list's 4096 bytes: as many descriptors as fit, and zeros after them.
  public func encode() -> [UInt8] {
    var image = ByteImage(byteCount: Self.byteCount)
    var offset = 0
    for descriptor in descriptors {
      let identifier = descriptor.identifier
      guard offset + 4 + identifier.count <= Self.byteCount else { break }
      image[offset] = descriptor.type
      image[offset + 1] = UInt8(truncatingIfNeeded: identifier.count)
      image[bytesAt: offset + 4, count: identifier.count] = identifier
      offset += 4 + identifier.count
    }
    return image.bytes
  }
}
