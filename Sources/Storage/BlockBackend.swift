import LinuxIO

/// The owner of what a namespace's blocks are kept in: a disk image, memory, or nothing. Any thread.
public final class BlockBackend: Sendable {
  /// The image; nil where there is none.
  public let image: DiskImage?
  private let memory: MemoryMapping?
  private let fixedSize: UInt64

  /// What the I/O path uses; valid as long as this object lives.
  public let handle: Backend
  /// The size of a logical block.
  public let logicalBlockSize: LogicalBlockSize
  /// Whether writes are refused.
  public let readOnly: Bool
  /// What reads and writes must be aligned to.
  public let alignment: DirectAlignment
  /// The unit in which space is allocated and freed, in bytes.
  public let allocationUnit: Int
  /// Whether deallocated blocks read as zeros.
  public let deallocatedReadsZero: Bool

  /// A backend that keeps its blocks in an image.
  public init(image: DiskImage) {
    self.image = image
    memory = nil
    fixedSize = 0
    handle = .file(fd: image.fileDescriptor)
    logicalBlockSize = image.options.logicalBlockSize
    readOnly = image.readOnly
    alignment = image.alignment
    allocationUnit = image.allocationUnit
    deallocatedReadsZero = image.deallocatedReadsZero
  }

  /// A backend that keeps its blocks in memory of this process, zeroed at first and lost with it.
  ///
  /// - Parameters:
  ///   - size: bytes; a multiple of the block size, at least one block. What is not a whole block is cut off.
  ///   - logicalBlockSize: the size of a logical block.
  ///   - readOnly: whether writes are refused.
  /// - Throws: `ENOMEM` where there is no such room; `EINVAL` for less than one block.
  public init(
    memory size: UInt64, logicalBlockSize: LogicalBlockSize = .bytes512, readOnly: Bool = false
  ) throws(Errno) {
    let bytes = BlockBackend.wholeBlocks(size, logicalBlockSize)
    guard bytes > 0 else { throw .invalidArgument }
    guard let count = Int(exactly: bytes) else { throw .outOfMemory }
    let mapping = try MemoryMapping(anonymous: count)
    image = nil
    fixedSize = bytes
    handle = unsafe .memory(base: mapping.base, count: count)
    memory = consume mapping
    self.logicalBlockSize = logicalBlockSize
    self.readOnly = readOnly
    alignment = .none
    allocationUnit = 4096
    deallocatedReadsZero = true
  }

  /// A backend without blocks: it takes every write and forgets it, and a read moves no data.
  ///
  /// It shows what the rest of the device costs; a read leaves what was in the guest's memory.
  ///
  /// - Parameters:
  ///   - size: bytes that it pretends to have, at least one block. What is not a whole block is cut off.
  ///   - logicalBlockSize: the size of a logical block.
  /// - Throws: `EINVAL` for less than one block.
  public init(null size: UInt64, logicalBlockSize: LogicalBlockSize = .bytes512) throws(Errno) {
    fixedSize = BlockBackend.wholeBlocks(size, logicalBlockSize)
    guard fixedSize > 0 else { throw .invalidArgument }
    image = nil
    memory = nil
    handle = .null
    self.logicalBlockSize = logicalBlockSize
    readOnly = false
    alignment = .none
    allocationUnit = 4096
    deallocatedReadsZero = false
  }

  /// Length in bytes; that of an image may change, see `DiskImage.refreshSize()`.
  public var size: UInt64 { image?.size ?? fixedSize }

  /// Whole logical blocks.
  public var blockCount: UInt64 { size >> UInt64(logicalBlockSize.shift) }

  /// What tells an image from every other of this host; nil where there is none.
  public var identity: ImageIdentity? { image?.identity }

  private static func wholeBlocks(_ size: UInt64, _ blockSize: LogicalBlockSize) -> UInt64 {
    min(size, UInt64(Int64.max)) & ~UInt64(blockSize.rawValue - 1)
  }
}
