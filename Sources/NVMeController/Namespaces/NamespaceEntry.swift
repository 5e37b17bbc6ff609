import Storage

/// What the hot path must know of a namespace: plain data, without an owner.
struct NamespaceGeometry: Sendable {
  /// Whether there is a namespace.
  var isActive = false
  /// How blocks are read and written.
  var backend = Backend.null
  /// log2 of the LBA size: 9 or 12.
  var blockShift: UInt64 = 9
  /// Namespace size in logical blocks (NSZE).
  var blockCount: UInt64 = 0
  /// Writes are refused.
  var isReadOnly = true
  /// The page cache is between: only workers sync, one after the other, as the kernel reports a loss of it once.
  var isBuffered = false
  /// Guest addresses and lengths with one of these bits set need a bounce buffer.
  var alignmentMask: UInt = 0
  /// The same for writes.
  var writeAlignmentMask: UInt = 0

  init() {}

  init(_ namespace: Namespace) {
    isActive = true
    backend = namespace.backend.handle
    blockShift = UInt64(namespace.blockShift)
    blockCount = namespace.blockCount
    isReadOnly = namespace.backend.readOnly
    isBuffered = namespace.backend.image?.options.cache == .buffered
    alignmentMask = UInt(max(namespace.backend.alignment.memory, 1) - 1)
    // The kernel takes the data page by page, and stops between two of them where this process is killed: half of a block
    // would be written. So each block has to lie in one page, unless the kernel writes nothing smaller.
    let isWhole = namespace.backend.alignment.offset >> Int(blockShift) > 0
    writeAlignmentMask = isWhole ? alignmentMask : alignmentMask | (1 << UInt(blockShift) - 1)
  }
}
