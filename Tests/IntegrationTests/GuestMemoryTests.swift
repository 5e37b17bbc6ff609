import Glibc
import NVMeHost
import NVMeSpec
import Testing

/// Guest memory that goes and comes while the controller works in it.
@Suite struct GuestMemoryTests {
  private static let queueAddress: UInt64 = 0x1_0000_0000
  private static let dataAddress: UInt64 = 0x2_0000_0000

  /// DMA_UNMAP of data that commands are moving: after the reply nothing touches it, every command completes, and the
  /// range works again once it is mapped.
  @Test(arguments: [DataPointerKind.prp, .sgl(limit: 4096)])
  func letsGoOfDataInFlight(_ kind: DataPointerKind) throws {
    let served = try ServedController()
    try served.images[0].fill(byteCount: 4 << 20)
    // The data is larger than all else, so that it gets the second range for itself.
    let memory = try HostMemory(parts: [(Self.queueAddress, 4 << 20), (Self.dataAddress, 8 << 20)])
    let host = try served.host(HostOptions(doorbells: .slots, vectors: 2), memory: memory)
    var queue = try host.createQueue(1, depth: 32, vector: 1)
    let data = try memory.allocate(8 << 20)
    try #require(data.iova == Self.dataAddress)
    let range = memory.ranges[1]
    let transfer = 128 << 10
    for round in 0..<20 {
      var lists: [(HostBuffer?, [HostBuffer])] = []
      var entries: [SubmissionQueueEntry] = []
      for index in 0..<31 {
        let buffer = data[index % 16 * transfer..<(index % 16 + 1) * transfer]
        var entry = SubmissionQueueEntry.io(
          index % 3 == 0 ? .write : .read, nsid: 1, slba: UInt64(index * 256), blocks: transfer / 512)
        // Lists lie in memory that stays.
        switch kind {
        case .prp:
          let list = try memory.allocate(4096)
          let pointer = try PRPBuilder.pointer(to: try PRPBuilder.entries(of: [buffer]), list: list)
          pointer.apply(to: &entry)
          lists.append((list, []))
        case .sgl(let limit, _):
          let blocks = SGLBuilder.dataBlocks(of: buffer, limit: limit)
          let segments = [try memory.allocate(blocks.count * 16)]
          try SGLBuilder.pointer(to: blocks, segments: segments).apply(to: &entry)
          lists.append((nil, segments))
        }
        entries.append(entry)
      }
      for entry in entries {
        let identifier = queue.submit(entry)
        #expect(identifier != nil)
      }
      queue.ring()
      // Now and then after a few have completed.
      for _ in 0..<round % 4 * 3 {
        let status = try queue.awaitCompletion().status
        #expect(status == .success)
      }
      try host.unmap(range)
      data.fill(0x33)
      for _ in round % 4 * 3..<31 {
        let status = try queue.awaitCompletion().status
        #expect(status == .success || status == .dataTransferError, "a command in flight at DMA_UNMAP")
      }
      #expect(data.isFilled(with: 0x33), "memory was written to after DMA_UNMAP")
      let gone = try queue.read(slba: 0, blocks: 8, into: data[0..<4096]).status
      #expect(gone == .dataTransferError)
      try host.map(range)
      try queue.writePattern(data[0..<4096], slba: 9000, version: UInt64(round + 1), blockByteCount: 512)
      try queue.readPattern(data[4096..<8192], slba: 9000, version: UInt64(round + 1), blockByteCount: 512)
      for (list, segments) in lists { (list.map { [$0] } ?? segments).forEach { memory.free($0) } }
    }
    let violations = queue.violations
    #expect(violations == 0)
    host.disconnect()
    try served.daemon.terminate()
  }

  /// The memory of all queues is taken away under load and mapped again, other memory at the same address: what was rung
  /// meanwhile is done when it is back, in the new place only.
  @Test(arguments: [DoorbellMechanism.slots, .socket(posted: true)])
  func movesQueues(_ doorbells: DoorbellMechanism) throws {
    let served = try ServedController()
    // The second half is not announced: it is the place that the queues move to.
    let size = 2 << 20
    let memory = try HostMemory(parts: [(Self.queueAddress, size), (Self.dataAddress, size)])
    var options = HostOptions(doorbells: doorbells, vectors: 2)
    options.mapsMemory = false
    let host = try HostController(path: served.socketPath, memory: memory, options: options)
    let first = memory.ranges[0]
    let second = DMARange(iova: Self.queueAddress, fileOffset: memory.ranges[1].fileOffset, byteCount: UInt64(size))
    try host.map(first)
    try host.initialize()
    let queueMemory = try host.allocateQueueMemory(16, [16])
    let data = try memory.allocate(16 * 4096)
    func status(_ entry: SubmissionQueueEntry) throws { try host.requireSuccess(host.admin(entry)) }
    try status(.createCompletionQueue(1, size: 16, iova: queueMemory.completionQueue.iova, vector: 1))
    try status(
      .createSubmissionQueue(1, size: 16, iova: queueMemory.submissionQueues[0].iova, completionQueue: 1))

    // Both places as the host sees them; the ring indices are kept by hand, as they go on when the memory moves.
    let all = try memory.allocate(size)
    try #require(all.iova == Self.dataAddress)
    let places: [Int] = [0, size]
    var place = 0
    var tail = 0
    var head = 0
    var phase = true
    func buffer(_ part: HostBuffer) -> UnsafeMutableRawPointer { all.base - size + places[place] + part.offset }
    let bell = host.submissionQueueTailDoorbell(1)
    let headBell = host.completionQueueHeadDoorbell(1)
    func submit(_ number: Int) {
      var entry = SubmissionQueueEntry.io(.read, nsid: 1, slba: UInt64(number % 1000), blocks: 8)
      entry.commandIdentifier = UInt16(number)
      entry.prp1 = data.iova + UInt64(number % 16) * 4096
      buffer(queueMemory.submissionQueues[0]).storeBytes(
        of: entry, toByteOffset: tail * 64, as: SubmissionQueueEntry.self)
      tail = (tail + 1) % 16
    }
    func completion() -> CompletionQueueEntry? {
      let entry = buffer(queueMemory.completionQueue).load(fromByteOffset: head * 16, as: CompletionQueueEntry.self)
      guard entry.phaseTag == phase else { return nil }
      head = (head + 1) % 16
      if head == 0 { phase.toggle() }
      return entry
    }
    var next = 0
    var completed = 0
    for round in 0..<40 {
      for _ in 0..<5 {
        submit(next)
        next += 1
      }
      bell.ring(UInt32(tail))
      try host.unmap(place == 0 ? first : second)
      // A frozen copy moves; the old place must stay as it is.
      for _ in 0..<3 {
        submit(next)
        next += 1
      }
      bell.ring(UInt32(tail))
      let old = UnsafeMutableRawPointer(all.base - size + places[place])
      let new = UnsafeMutableRawPointer(all.base - size + places[1 - place])
      memcpy(new, old, size)
      memset(old, 0x44, size)
      place = 1 - place
      try host.map(place == 0 ? first : second)
      var seen = Set<UInt16>()
      let deadline = deadline()
      while seen.count < 8 {
        if let entry = completion() {
          #expect(entry.status == .success)
          #expect(seen.insert(entry.commandIdentifier).inserted, "completed twice")
          completed += 1
        }
        guard !isOver(deadline) else { throw TestFailure("round \(round): \(seen.count) of 8 commands completed") }
      }
      #expect(seen == Set((completed - 8..<completed).map { UInt16($0) }))
      headBell.ring(UInt32(head))
      #expect(
        old.load(as: UInt8.self) == 0x44 && memcmp(old, old + 1, size - 1) == 0,
        "round \(round): the old place was written to")
    }
    #expect(completed == 320)
    host.disconnect()
    try served.daemon.terminate()
  }
}
