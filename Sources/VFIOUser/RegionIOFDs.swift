import LinuxIO

/// DEVICE_GET_REGION_IO_FDS: which region is asked about, and how much the asker has room for.
public struct RegionIOFDsQuery: Equatable, Sendable {
  /// Bytes at the client for the struct and its entries: `argsz`.
  public var room: UInt32
  /// The region.
  public var index: RegionIndex

  /// A question about a region.
  ///
  /// - Parameters:
  ///   - room: bytes for the struct and its entries, 16 to 1 MiB.
  ///   - index: which region.
  public init(room: UInt32 = UInt32(RegionIOFDs.size), index: RegionIndex) {
    self.room = room
    self.index = index
  }

  /// Reads a request.
  ///
  /// - Throws: `EINVAL` for a short payload, an `argsz` below 16 or above 1 MiB, flags or a count that are not 0, or a
  ///   region that no PCI device has.
  init(decoding payload: Span<UInt8>) throws(Errno) {
    room = try payload.integer(at: 0)
    let flags: UInt32 = try payload.integer(at: 4)
    index = try RegionIndex(decoding: try payload.integer(at: 8))
    let count: UInt32 = try payload.integer(at: 12)
    guard room >= RegionIOFDs.size, room <= RegionIOFDs.maxRoom, flags == 0, count == 0 else { throw .invalidArgument }
  }

  /// Appends the struct.
  func encode(to bytes: inout [UInt8]) {
    bytes.append(integer: room)
    bytes.append(integer: UInt32(0))
    bytes.append(integer: index.rawValue)
    bytes.append(integer: UInt32(0))
  }
}

/// One part of a region whose accesses reach the server through a descriptor instead of a message.
///
/// The layout is the 48 bytes of libvfio-user and of every client that decodes it. The text of the specification has 40
/// bytes and does not know the shadow.
public struct IOFDEntry: Equatable, Sendable {
  /// Bytes of the struct.
  public static let size = 48

  /// What stands behind the descriptor.
  public enum Kind: UInt32, Sendable {
    /// An eventfd, signalled at a write. The value written is lost.
    case ioeventfd = 0
    /// A socket that gets the accesses as messages.
    case ioregionfd = 1
    /// An eventfd, signalled after the kernel has stored the value written in shared memory.
    case shadow = 2
  }

  /// `KVM_IOEVENTFD_FLAG_*`.
  public struct Flags: OptionSet, Sendable {
    /// The word as it is on the wire.
    public let rawValue: UInt32
    /// Wraps the word as it is on the wire.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Only writes of the value `datamatch`.
    public static let datamatch = Flags(rawValue: 1)
    /// Port I/O.
    public static let pio = Flags(rawValue: 2)
  }

  /// What stands behind the descriptor.
  public var kind: Kind
  /// Where in the region.
  public var offset: UInt64
  /// Bytes of an access: 1, 2, 4 or 8; 0: any (not with a shadow). Bytes of the range for an ioregionfd.
  public var length: UInt64
  /// Which descriptor of the reply: the eventfd, or the socket of an ioregionfd.
  public var descriptorIndex: UInt32
  /// `KVM_IOEVENTFD_FLAG_*`.
  public var flags: Flags
  /// Which descriptor of the reply the shadow lies in; 0 for other kinds.
  public var shadowDescriptorIndex: UInt32
  /// Where in the file of the shadow the value is stored. For an ioregionfd: its `user_data`.
  public var shadowOffset: UInt64
  /// The value to match with the flag `datamatch`.
  public var datamatch: UInt64

  /// An entry of any kind.
  public init(
    kind: Kind, offset: UInt64, length: UInt64, descriptorIndex: UInt32, flags: Flags = [],
    shadowDescriptorIndex: UInt32 = 0, shadowOffset: UInt64 = 0, datamatch: UInt64 = 0
  ) {
    self.kind = kind
    self.offset = offset
    self.length = length
    self.descriptorIndex = descriptorIndex
    self.flags = flags
    self.shadowDescriptorIndex = shadowDescriptorIndex
    self.shadowOffset = shadowOffset
    self.datamatch = datamatch
  }

  /// Reads the entry that begins at byte `start`.
  ///
  /// - Throws: `EINVAL` for a short payload or an unknown kind.
  init(decoding payload: Span<UInt8>, at start: Int) throws(Errno) {
    offset = try payload.integer(at: start)
    length = try payload.integer(at: start + 8)
    descriptorIndex = try payload.integer(at: start + 16)
    guard let kind = Kind(rawValue: try payload.integer(at: start + 20)) else { throw .invalidArgument }
    self.kind = kind
    flags = Flags(rawValue: try payload.integer(at: start + 24))
    shadowDescriptorIndex = try payload.integer(at: start + 28)
    shadowOffset = try payload.integer(at: start + 32)
    datamatch = try payload.integer(at: start + 40)
  }

  /// Appends the struct.
  func encode(to bytes: inout [UInt8]) {
    bytes.append(integer: offset)
    bytes.append(integer: length)
    bytes.append(integer: descriptorIndex)
    bytes.append(integer: kind.rawValue)
    bytes.append(integer: flags.rawValue)
    bytes.append(integer: shadowDescriptorIndex)
    bytes.append(integer: shadowOffset)
    bytes.append(integer: datamatch)
  }
}

/// The reply to DEVICE_GET_REGION_IO_FDS: every entry and descriptor, or, where the client has no room for them, only how
/// much it needs.
///
/// Several entries may name the same descriptor. There is no continuation: what does not fit into the client's
/// `max_msg_fds` cannot be offered.
public struct RegionIOFDs: Equatable, Sendable {
  /// Bytes of the struct without entries.
  public static let size = 16
  /// Most bytes of a reply that a client may ask for.
  static let maxRoom = 1 << 20

  /// The region.
  public var index: RegionIndex
  /// Its parts.
  public var entries: [IOFDEntry]

  /// What is offered for a region.
  public init(index: RegionIndex, entries: [IOFDEntry] = []) {
    self.index = index
    self.entries = entries
  }

  /// Bytes of the whole.
  public var neededSize: Int { RegionIOFDs.size + entries.count * IOFDEntry.size }

  /// Whether the client that has `room` bytes gets the entries, and the descriptors with them.
  public func fits(in room: UInt32) -> Bool { neededSize <= room }

  /// Appends the reply to a client that has `room` bytes.
  func encode(to bytes: inout [UInt8], room: UInt32) {
    bytes.append(integer: UInt32(truncatingIfNeeded: neededSize))
    bytes.append(integer: UInt32(0))
    bytes.append(integer: index.rawValue)
    bytes.append(integer: UInt32(truncatingIfNeeded: entries.count))
    if fits(in: room) { for entry in entries { entry.encode(to: &bytes) } }
  }

  /// What a reply says, and how many bytes the whole of it needs. Without entries where those did not fit.
  ///
  /// - Throws: `EINVAL` for a payload that is neither the struct alone nor the struct with all its entries.
  static func decode(_ payload: Span<UInt8>) throws(Errno) -> (fds: RegionIOFDs, needed: UInt32) {
    let needed: UInt32 = try payload.integer(at: 0)
    var fds = RegionIOFDs(index: try RegionIndex(decoding: try payload.integer(at: 8)))
    let count = Int(try payload.integer(at: 12, as: UInt32.self))
    if payload.count == size { return (fds, needed) }
    guard count <= maxRoom / IOFDEntry.size, payload.count == size + count * IOFDEntry.size else {
      throw .invalidArgument
    }
    for index in 0..<count {
      fds.entries.append(try IOFDEntry(decoding: payload, at: size + index * IOFDEntry.size))
    }
    return (fds, needed)
  }
}
