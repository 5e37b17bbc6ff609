/// A range of I/O virtual addresses (IOVA) and where this process sees it.
///
/// Plain data that every thread of a controller holds a copy of; the mapping behind it is owned by `DMATable`, which
/// keeps it until all of them have said that they are done with it.
@safe public struct MemoryRegion: Sendable, Equatable {
  /// What the device may do with the memory: the flags of the vfio-user message DMA_MAP.
  public struct Access: OptionSet, Sendable {
    /// The flags of DMA_MAP.
    public let rawValue: UInt32
    /// Wraps the flags of DMA_MAP.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The device may read: data of write commands, queue entries, PRP and SGL lists.
    public static var read: Access { Access(rawValue: 1) }
    /// The device may write: data of read commands, completions.
    public static var write: Access { Access(rawValue: 2) }
  }

  /// First I/O virtual address, a multiple of 4 KiB.
  public let iova: UInt64
  /// Bytes, a multiple of 4 KiB; `iova + size` does not exceed 2^64.
  public let size: UInt64
  /// Where the range begins in this process; 0 for a range that came without a file and cannot be reached.
  @usableFromInline let host: UInt
  /// What the device may do.
  public let access: Access

  /// A range; `host` is nil where it came without a file.
  @inlinable
  public init(iova: UInt64, size: UInt64, host: UnsafeMutableRawPointer?, access: Access) {
    self.iova = iova
    self.size = size
    self.host = UInt(bitPattern: host)
    self.access = unsafe host == nil ? [] : access
  }

  @inlinable init() {
    iova = 0
    size = 0
    host = 0
    access = []
  }

  /// Whether the range can be reached by this process.
  @inlinable public var isReachable: Bool { host != 0 }

  /// Whether `pointer` lies in the range as this process sees it.
  @inlinable
  public func contains(host pointer: UInt) -> Bool { host != 0 && pointer &- host < UInt(truncatingIfNeeded: size) }

  /// Whether the whole range, as this process sees it, lies inside `count` bytes from `pointer`.
  @inlinable
  public func isInside(host pointer: UInt, count: UInt) -> Bool { self.host != 0 && self.host &- pointer < count }

  /// Whether [iova, iova + size) of the other range meets this one. Neither exceeds 2^64.
  @inlinable
  public func overlaps(iova other: UInt64, size otherSize: UInt64) -> Bool {
    // Compared by differences, since the end of a range may be 2^64.
    (other &- iova) < size || (iova &- other) < otherSize
  }
}
