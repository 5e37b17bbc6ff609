/// The kinds of SGL descriptor (NVMe base 2.0, 4.1.2).
@frozen public enum SGLDescriptorType: UInt8, Sendable {
  /// A block of data at an address.
  case dataBlock = 0x0
  /// Data of a read that the host discards; no address.
  case bitBucket = 0x1
  /// The next segment, which holds a further segment descriptor as its last.
  case segment = 0x2
  /// The next segment, which is the last one.
  case lastSegment = 0x3
  /// A data block with a remote access key; message-based transports only.
  case keyedDataBlock = 0x4
  /// A data block whose place the transport defines.
  case transportDataBlock = 0x5
  /// Defined by the vendor.
  case vendorSpecific = 0xF
}

/// One entry of a scatter gather list: 16 bytes, little-endian, in the wire's own layout (NVMe base 2.0, 4.1.2).
@frozen public struct SGLDescriptor: Sendable, Equatable {
  /// The size of a descriptor in bytes.
  @inlinable public static var byteCount: Int { 16 }

  /// The memory address; not used by a bit bucket.
  public var address: UInt64
  /// The second half: the length in bits 31:0 and the SGL identifier in bits 63:56.
  public var word1: UInt64

  /// Makes a descriptor of its two halves as they lie in memory.
  @inlinable public init(_ word0: UInt64, _ word1: UInt64) {
    address = word0
    self.word1 = word1
  }

  /// Makes an unkeyed descriptor of `length` bytes at `address`.
  @inlinable public init(type: SGLDescriptorType, subtype: UInt8 = 0, address: UInt64, length: UInt32) {
    self.address = address
    word1 = UInt64(length) | UInt64(subtype & 0xF) << 56 | UInt64(type.rawValue) << 60
  }

  /// The length in bytes, of the data or of the segment pointed at.
  @inlinable public var length: UInt32 {
    get { UInt32(truncatingIfNeeded: word1) }
    set { word1.setField(at: 0, width: 32, to: UInt64(newValue)) }
  }

  /// The descriptor type as it was read, 0 to 15.
  @inlinable public var rawType: UInt8 { UInt8(truncatingIfNeeded: word1.field(at: 60, width: 4)) }

  /// The descriptor type, or nil for a reserved one.
  @inlinable public var type: SGLDescriptorType? { SGLDescriptorType(rawValue: rawType) }

  /// The subtype, 0 to 15; 0 means that ``address`` is an address.
  @inlinable public var subtype: UInt8 { UInt8(truncatingIfNeeded: word1.field(at: 56, width: 4)) }
}
