import GuestMemory

/// Where the guest memory is that a client has mapped.
public struct DMAMapStatus: Codable, Sendable, Equatable {
  /// Most ranges that are listed.
  public static let rangeLimit = 1024

  /// Ranges, listed or not.
  public var mapCount: Int
  /// Bytes of all of them.
  public var byteCount: UInt64
  /// The ranges with the lowest addresses, in ascending order.
  public var ranges: [DMARangeStatus]

  /// The ranges of a client, in ascending order.
  init(_ regions: [MemoryRegion]) {
    mapCount = regions.count
    byteCount = regions.reduce(0) { $0 &+ $1.size }
    ranges = regions.prefix(DMAMapStatus.rangeLimit).map(DMARangeStatus.init)
  }
}

/// A range of guest memory: vfio-user DMA_MAP.
public struct DMARangeStatus: Codable, Sendable, Equatable {
  /// First I/O virtual address.
  public var iova: UInt64
  /// Bytes.
  public var size: UInt64
  /// Whether the controller can reach it: it came with a file.
  public var isReachable: Bool
  /// Whether the controller may read it.
  public var isReadable: Bool
  /// Whether the controller may write it.
  public var isWritable: Bool

  init(_ region: MemoryRegion) {
    iova = region.iova
    size = region.size
    isReachable = region.isReachable
    isReadable = region.access.contains(.read)
    isWritable = region.access.contains(.write)
  }
}
