import NVMeSpec

/// How the data of a command is described.
public enum DataPointerKind: Equatable, Sendable {
  /// PRP entries, and a list where there are more than two.
  case prp
  /// A scatter gather list, of blocks of at most `limit` bytes (0: no limit), `perSegment` descriptors to a segment.
  case sgl(limit: Int = 0, perSegment: Int = 256)
}

/// One command, start to end. Each waits for its completion and gives it, whatever its status.
///
/// They throw what `execute` throws, and `outOfMemory` where lists or data find no room. After a time-out the memory of
/// lists is not given back, as the controller may still read it.
extension HostQueue {
  /// Executes a command with `data` as its data buffer.
  public mutating func execute(
    _ entry: SubmissionQueueEntry, data: HostBuffer, _ kind: DataPointerKind = .prp, on index: Int = 0
  ) throws(HostError) -> CompletionQueueEntry {
    var entry = entry
    // Lists are given back only where the command has completed.
    let completion: CompletionQueueEntry
    switch kind {
    case .prp:
      let pointer = try PRPBuilder.pointer(to: [data])
      pointer.apply(to: &entry)
      completion = try execute(entry, on: index)
      pointer.free()
    case .sgl(let limit, let perSegment):
      let pointer = try SGLBuilder.pointer(to: data, limit: limit, perSegment: perSegment)
      pointer.apply(to: &entry)
      completion = try execute(entry, on: index)
      pointer.free()
    }
    return completion
  }

  /// Read: `blocks` logical blocks from `slba` on.
  public mutating func read(
    nsid: UInt32 = 1, slba: UInt64, blocks: Int, into data: HostBuffer, _ kind: DataPointerKind = .prp
  ) throws(HostError) -> CompletionQueueEntry {
    try execute(.io(.read, nsid: nsid, slba: slba, blocks: blocks), data: data, kind)
  }

  /// Write; with `forceUnitAccess` it completes only when the data is durable.
  public mutating func write(
    nsid: UInt32 = 1, slba: UInt64, blocks: Int, from data: HostBuffer, forceUnitAccess: Bool = false,
    _ kind: DataPointerKind = .prp
  ) throws(HostError) -> CompletionQueueEntry {
    var entry = SubmissionQueueEntry.io(.write, nsid: nsid, slba: slba, blocks: blocks)
    entry.forceUnitAccess = forceUnitAccess
    return try execute(entry, data: data, kind)
  }

  /// Compare.
  public mutating func compare(
    nsid: UInt32 = 1, slba: UInt64, blocks: Int, with data: HostBuffer, _ kind: DataPointerKind = .prp
  ) throws(HostError) -> CompletionQueueEntry {
    try execute(.io(.compare, nsid: nsid, slba: slba, blocks: blocks), data: data, kind)
  }

  /// Write Zeroes; with `deallocate` the blocks may be deallocated.
  public mutating func writeZeroes(
    nsid: UInt32 = 1, slba: UInt64, blocks: Int, deallocate: Bool = false
  ) throws(HostError) -> CompletionQueueEntry {
    var entry = SubmissionQueueEntry.io(.writeZeroes, nsid: nsid, slba: slba, blocks: blocks)
    entry.deallocate = deallocate
    return try execute(entry)
  }

  /// Flush.
  public mutating func flush(nsid: UInt32 = 1) throws(HostError) -> CompletionQueueEntry {
    try execute(.flush(nsid: nsid))
  }

  /// Dataset Management: `ranges`, 1 to 256, may be deallocated.
  public mutating func deallocate(
    nsid: UInt32 = 1, _ ranges: [DatasetManagementRange]
  ) throws(HostError) -> CompletionQueueEntry {
    let data = try completionQueue.memory.memory.allocate(max(ranges.count, 1) * DatasetManagementRange.byteCount)
    for (index, range) in ranges.enumerated() { data.store(range, at: index * DatasetManagementRange.byteCount) }
    let completion = try execute(.deallocate(nsid: nsid, ranges: ranges.count), data: data)
    data.memory.free(data)
    return completion
  }
}
