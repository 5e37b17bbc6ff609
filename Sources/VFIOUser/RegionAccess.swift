import LinuxIO

/// Where an access to a region goes: the head of REGION_READ, REGION_WRITE and their replies.
public struct RegionAccess: Equatable, Sendable {
  /// Bytes of the struct before the data.
  public static let size = 16

  /// Where in the region.
  public var offset: UInt64
  /// The region.
  public var region: RegionIndex
  /// Bytes.
  public var count: UInt32

  /// An access. `offset + count` must not pass 2^64.
  public init(offset: UInt64, region: RegionIndex, count: UInt32) {
    self.offset = offset
    self.region = region
    self.count = count
  }

  /// Whether the access lies inside a region of `length` bytes.
  public func fits(in length: UInt64) -> Bool { offset <= length && count <= length - offset }

  /// Reads the struct that begins at byte `start`.
  ///
  /// - Throws: `EINVAL` for a short payload, a region that no PCI device has, more than 1 MiB, or a range that passes
  ///   2^64.
  init(decoding payload: Span<UInt8>, at start: Int = 0) throws(Errno) {
    offset = try payload.integer(at: start)
    region = try RegionIndex(decoding: try payload.integer(at: start + 8))
    count = try payload.integer(at: start + 12)
    guard count <= Limits.dataTransfer, !offset.addingReportingOverflow(UInt64(count)).overflow else {
      throw .invalidArgument
    }
  }

  /// Appends the struct.
  func encode(to bytes: inout [UInt8]) {
    bytes.append(integer: offset)
    bytes.append(integer: region.rawValue)
    bytes.append(integer: count)
  }
}

/// A write to a region, of REGION_WRITE or REGION_WRITE_MULTI.
public struct RegionWrite: Equatable, Sendable {
  /// Where it goes.
  public let access: RegionAccess
  /// What is written: `access.count` bytes.
  public let data: RegionData

  /// A write. `offset` and the data must not pass 2^64, nor the data 1 MiB.
  public init(offset: UInt64, region: RegionIndex, data: RegionData) {
    access = RegionAccess(offset: offset, region: region, count: UInt32(truncatingIfNeeded: data.count))
    self.data = data
  }

  /// Reads a REGION_WRITE.
  ///
  /// - Throws: `EINVAL` where the data is not as long as the access, and what `RegionAccess` throws.
  init(decoding payload: Span<UInt8>) throws(Errno) {
    access = try RegionAccess(decoding: payload)
    guard payload.count == RegionAccess.size + Int(access.count) else { throw .invalidArgument }
    data = RegionData(payload, from: RegionAccess.size)
  }

  /// Appends a REGION_WRITE.
  func encode(to bytes: inout [UInt8]) {
    access.encode(to: &bytes)
    data.encode(to: &bytes)
  }
}

/// REGION_WRITE_MULTI: several writes of one to eight bytes, done in order. QEMU sends at most 200.
public enum RegionWriteMulti {
  /// Bytes of the number of entries, which is the whole reply.
  static let headSize = 8
  /// Bytes of an entry: an access and eight bytes of data, of which the first `count` are written.
  static let entrySize = 24

  /// Reads a request.
  ///
  /// - Throws: `EINVAL` where the payload is not exactly as long as its entries, for a write of no bytes or of more than
  ///   eight, and what `RegionAccess` throws.
  static func decode(_ payload: Span<UInt8>) throws(Errno) -> [RegionWrite] {
    let count: UInt64 = try payload.integer(at: 0)
    let entries = (payload.count - headSize) / entrySize
    guard count == entries, payload.count == headSize + entries * entrySize else { throw .invalidArgument }
    var writes: [RegionWrite] = []
    writes.reserveCapacity(entries)
    for index in 0..<entries {
      let start = headSize + index * entrySize
      let access = try RegionAccess(decoding: payload, at: start)
      guard (1...8).contains(access.count) else { throw .invalidArgument }
      let data = RegionData(try payload.integer(at: start + RegionAccess.size), count: Int(access.count))
      writes.append(RegionWrite(offset: access.offset, region: access.region, data: data))
    }
    return writes
  }

  /// Appends a request.
  static func encode(_ writes: [RegionWrite], to bytes: inout [UInt8]) {
    bytes.append(integer: UInt64(writes.count))
    for write in writes {
      write.access.encode(to: &bytes)
      bytes.append(integer: write.data.value)
    }
  }
}
