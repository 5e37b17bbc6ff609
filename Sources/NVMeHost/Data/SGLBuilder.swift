import NVMeSpec

/// The data pointer of a command as a scatter gather list (NVMe base 2.0, 4.1.2), and the segments it points to.
public struct SGLPointer: Sendable {
  /// SGL descriptor 1, the one in the command.
  public var descriptor: SGLDescriptor
  /// The segments in order; the controller may read them until the command has completed.
  public var segments: [HostBuffer]

  /// Writes the descriptor into a command: PSDT 01b, a list, with a contiguous metadata buffer.
  public func apply(to entry: inout SubmissionQueueEntry) {
    entry.dataTransferType = 1
    entry.sgl = descriptor
  }

  /// Gives the pages of the segments back.
  public func free() { for segment in segments { segment.memory.free(segment) } }
}

/// Makes scatter gather lists.
public enum SGLBuilder {
  private static let size = SGLDescriptor.byteCount

  /// The data blocks of a buffer: one for each range of the guest memory that it lies in.
  ///
  /// - Parameters:
  ///   - buffer: memory of the guest.
  ///   - limit: most bytes of a block; 0 for no limit.
  public static func dataBlocks(of buffer: HostBuffer, limit: Int = 0) -> [SGLDescriptor] {
    var blocks: [SGLDescriptor] = []
    var position = 0
    while position < buffer.count {
      let start = buffer.iova(at: position)
      var length = 0
      // Addresses leave their sequence only where a page ends.
      repeat {
        length += HostMemory.pageSize - (buffer.offset + position + length) % HostMemory.pageSize
      } while position + length < buffer.count && buffer.iova(at: position + length) == start + UInt64(length)
      length = min(length, buffer.count - position, limit == 0 ? .max : limit)
      blocks.append(SGLDescriptor(type: .dataBlock, address: start, length: UInt32(truncatingIfNeeded: length)))
      position += length
    }
    return blocks
  }

  /// A bit bucket: data of a read that is not transferred.
  public static func bitBucket(_ byteCount: UInt32) -> SGLDescriptor {
    SGLDescriptor(type: .bitBucket, address: 0, length: byteCount)
  }

  /// Makes the data pointer of `descriptors`: the only one itself, else a list in `segments`.
  ///
  /// Each segment but the last ends with a descriptor of the next: `segment`, or `lastSegment` for the last one.
  ///
  /// - Parameters:
  ///   - descriptors: data blocks, bit buckets, or anything else.
  ///   - segments: where the list goes; each takes as many descriptors as it has room for, at least two unless it is the
  ///     last.
  /// - Throws: `invalidArgument` where the segments have no room.
  public static func pointer(
    to descriptors: [SGLDescriptor], segments: [HostBuffer]
  ) throws(HostError) -> SGLPointer {
    if let only = descriptors.first, descriptors.count == 1, segments.isEmpty {
      return SGLPointer(descriptor: only, segments: [])
    }
    // First how many descriptors each segment gets, as a pointer tells the length of what it points to.
    var counts: [Int] = []
    var rest = descriptors.count
    for segment in segments where rest > 0 {
      let room = segment.count / size
      let taken = rest <= room ? rest : room - 1
      guard taken > 0 else { throw .invalidArgument("an SGL segment has room for two descriptors at least") }
      counts.append(taken)
      rest -= taken
    }
    guard rest == 0, !counts.isEmpty else { throw .invalidArgument("the SGL segments have no room") }
    func link(to index: Int) -> SGLDescriptor {
      let isLast = index == counts.count - 1
      let length = (counts[index] + (isLast ? 0 : 1)) * size
      return SGLDescriptor(
        type: isLast ? .lastSegment : .segment, address: segments[index].iova,
        length: UInt32(truncatingIfNeeded: length))
    }
    var next = 0
    for (index, count) in counts.enumerated() {
      for position in 0..<count {
        segments[index].store(descriptors[next], at: position * size)
        next += 1
      }
      if index < counts.count - 1 { segments[index].store(link(to: index + 1), at: count * size) }
    }
    return SGLPointer(descriptor: link(to: 0), segments: [HostBuffer](segments.prefix(counts.count)))
  }

  /// Makes the data pointer of a buffer, with segments from the same memory where there is more than one block.
  ///
  /// - Parameters:
  ///   - buffer: memory of the guest.
  ///   - limit: most bytes of a block; 0 for no limit.
  ///   - perSegment: most descriptors of a segment, at least 2.
  /// - Throws: `outOfMemory`.
  public static func pointer(
    to buffer: HostBuffer, limit: Int = 0, perSegment: Int = 256
  ) throws(HostError) -> SGLPointer {
    let blocks = dataBlocks(of: buffer, limit: limit)
    guard blocks.count > 1 else { return try pointer(to: blocks, segments: []) }
    let room = max(perSegment, 2)
    var segments = [try buffer.memory.allocate(room * size)]
    var rest = blocks.count
    while rest > room {
      rest -= room - 1
      segments.append(try buffer.memory.allocate(room * size))
    }
    return try pointer(to: blocks, segments: segments)
  }
}
