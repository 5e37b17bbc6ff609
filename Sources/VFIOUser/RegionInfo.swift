import LinuxIO

/// DEVICE_GET_REGION_INFO: which region is asked about, and how much the asker has room for.
public struct RegionInfoQuery: Equatable, Sendable {
  /// Bytes at the client for the struct and its capabilities: `argsz`.
  public var room: UInt32
  /// The region.
  public var index: RegionIndex

  /// A question about a region.
  ///
  /// - Parameters:
  ///   - room: bytes for the struct and its capabilities, at least 32.
  ///   - index: which region.
  public init(room: UInt32 = UInt32(RegionInfo.size), index: RegionIndex) {
    self.room = room
    self.index = index
  }

  /// Reads a request. A tail after the struct is ignored: SPDK's host sends 4 KiB.
  ///
  /// - Throws: `EINVAL` for a short payload or `argsz`, or a region that no PCI device has.
  init(decoding payload: Span<UInt8>) throws(Errno) {
    room = try payload.integer(at: 0)
    guard payload.count >= RegionInfo.size, room >= RegionInfo.size else { throw .invalidArgument }
    index = try RegionIndex(decoding: try payload.integer(at: 8))
  }

  /// Appends the struct.
  func encode(to bytes: inout [UInt8]) {
    bytes.append(integer: room)
    bytes.append(integer: UInt32(0))
    bytes.append(integer: index.rawValue)
    bytes.append(integer: UInt32(0))
    bytes.append(integer: UInt64(0))
    bytes.append(integer: UInt64(0))
  }
}

/// An area of a region that the client may map (`struct vfio_region_sparse_mmap_area` of `linux/vfio.h`).
public struct SparseMmapArea: Equatable, Sendable {
  /// Bytes of the struct.
  static let size = 16

  /// Where in the region it begins. In the file it begins at the offset of the region plus this.
  public var offset: UInt64
  /// Bytes.
  public var length: UInt64

  /// An area.
  public init(offset: UInt64, length: UInt64) {
    self.offset = offset
    self.length = length
  }
}

/// The reply to DEVICE_GET_REGION_INFO (`struct vfio_region_info` of `linux/vfio.h`), with the capability
/// `VFIO_REGION_INFO_CAP_SPARSE_MMAP` where there are areas.
///
/// It is asked twice: where the client has no room for the capability, it is told how much it needs, and gets neither
/// the capability nor the descriptor.
public struct RegionInfo: Equatable, Sendable {
  /// Bytes of the struct without capabilities.
  public static let size = 32
  /// `VFIO_REGION_INFO_CAP_SPARSE_MMAP`, and the version of its layout.
  private static let sparseMmap: (id: UInt16, version: UInt16) = (1, 1)
  /// Bytes of a capability's header and of the two numbers before the areas.
  private static let capabilityHeaderSize = 8
  private static let sparseMmapHeaderSize = 16

  /// How the region can be accessed. That a reply has capabilities is not said here.
  public struct Flags: OptionSet, Sendable {
    /// The word as it is on the wire.
    public let rawValue: UInt32
    /// Wraps the word as it is on the wire.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// REGION_READ.
    public static let read = Flags(rawValue: 1)
    /// REGION_WRITE.
    public static let write = Flags(rawValue: 2)
    /// The client may map it, or the areas named.
    public static let mmap = Flags(rawValue: 4)
    /// Capabilities follow the struct.
    static let capabilities = Flags(rawValue: 8)
  }

  /// The region.
  public var index: RegionIndex
  /// How it can be accessed.
  public var flags: Flags
  /// Bytes; 0: the device does not have the region.
  public var length: UInt64
  /// Where in the file behind the descriptor the region begins; means nothing without `mmap`.
  public var fileOffset: UInt64
  /// The areas that can be mapped; empty with `mmap`: all of it.
  public var areas: [SparseMmapArea]

  /// What is said about a region.
  public init(
    index: RegionIndex, flags: Flags = [], length: UInt64 = 0, fileOffset: UInt64 = 0, areas: [SparseMmapArea] = []
  ) {
    self.index = index
    self.flags = flags
    self.length = length
    self.fileOffset = fileOffset
    self.areas = areas
  }

  /// Bytes of the whole: the struct and its capability.
  public var neededSize: Int {
    areas.isEmpty
      ? RegionInfo.size : RegionInfo.size + RegionInfo.sparseMmapHeaderSize + areas.count * SparseMmapArea.size
  }

  /// Whether the client that has `room` bytes gets the whole, and the descriptor with it.
  public func fits(in room: UInt32) -> Bool { neededSize <= room }

  /// Appends the reply to a client that has `room` bytes: the whole, or the struct alone with the size that it needs.
  func encode(to bytes: inout [UInt8], room: UInt32) {
    let hasCapability = !areas.isEmpty && fits(in: room)
    bytes.append(integer: UInt32(truncatingIfNeeded: neededSize))
    bytes.append(integer: flags.rawValue | (hasCapability ? Flags.capabilities.rawValue : 0))
    bytes.append(integer: index.rawValue)
    bytes.append(integer: UInt32(hasCapability ? RegionInfo.size : 0))
    bytes.append(integer: length)
    bytes.append(integer: fileOffset)
    if !hasCapability { return }
    bytes.append(integer: RegionInfo.sparseMmap.id)
    bytes.append(integer: RegionInfo.sparseMmap.version)
    bytes.append(integer: UInt32(0))  // No further capability.
    bytes.append(integer: UInt32(truncatingIfNeeded: areas.count))
    bytes.append(integer: UInt32(0))
    for area in areas {
      bytes.append(integer: area.offset)
      bytes.append(integer: area.length)
    }
  }

  /// What a reply says, and how many bytes the whole of it needs.
  ///
  /// - Throws: `EINVAL` for a short payload, for a region that no PCI device has, and for a chain of capabilities that
  ///   leaves the payload or turns back.
  static func decode(_ payload: Span<UInt8>) throws(Errno) -> (info: RegionInfo, needed: UInt32) {
    let needed: UInt32 = try payload.integer(at: 0)
    let flags = Flags(rawValue: try payload.integer(at: 4))
    let index = try RegionIndex(decoding: try payload.integer(at: 8))
    var info = RegionInfo(index: index, flags: flags.subtracting(.capabilities))
    info.length = try payload.integer(at: 16)
    info.fileOffset = try payload.integer(at: 24)
    guard flags.contains(.capabilities) else { return (info, needed) }
    var offset = Int(try payload.integer(at: 12, as: UInt32.self))
    var end = size
    while offset != 0 {
      guard offset >= end else { throw .invalidArgument }
      if try payload.integer(at: offset, as: UInt16.self) == sparseMmap.id { info.areas = try areas(payload, offset) }
      end = offset + capabilityHeaderSize
      offset = Int(try payload.integer(at: offset + 4, as: UInt32.self))
    }
    return (info, needed)
  }

  private static func areas(_ payload: Span<UInt8>, _ capability: Int) throws(Errno) -> [SparseMmapArea] {
    let count = Int(try payload.integer(at: capability + 8, as: UInt32.self))
    let first = capability + sparseMmapHeaderSize
    guard count <= (payload.count - min(first, payload.count)) / SparseMmapArea.size else { throw .invalidArgument }
    var areas: [SparseMmapArea] = []
    for index in 0..<count {
      let offset = first + index * SparseMmapArea.size
      areas.append(SparseMmapArea(offset: try payload.integer(at: offset), length: try payload.integer(at: offset + 8)))
    }
    return areas
  }
}
