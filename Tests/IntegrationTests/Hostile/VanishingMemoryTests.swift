import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing
import VFIOUser

/// Guest memory that goes, or never comes, while the daemon uses it; another controller of the same thread goes on.
@Suite struct VanishingMemoryTests {
  private static let queueAddress: UInt64 = 0x1_0000_0000
  private static let dataAddress: UInt64 = 0x2_0000_0000
  private static let part = 4 << 20

  /// What is gone when a command needs it.
  enum Gone: CaseIterable {
    /// Data that the kernel moves: it answers EFAULT.
    case readData, writtenData
    /// A list of pages: the daemon's own load faults.
    case list
    /// Data that is copied, as it lies where direct I/O cannot have it.
    case copiedReadData, copiedWrittenData
  }

  /// Memory of two files' parts, the second of which is cut away.
  private func memory(_ backing: HostMemory.Backing = .unsealed) throws -> HostMemory {
    try HostMemory(parts: [(Self.queueAddress, Self.part), (Self.dataAddress, Self.part)], backing: backing)
  }

  @Test(arguments: Gone.allCases) func aCommandWhoseMemoryIsGoneEndsForItsControllerAlone(gone: Gone) throws {
    try cut(try memory(), gone)
  }

  @Test(.enabled(if: HugePages.isPossible, "to reserve huge pages needs root, and memory"), arguments: Gone.allCases)
  func hugePagesThatAreGoneAreSoForTheirControllerAlone(gone: Gone) throws {
    let pages = try HugePages(2 * Self.part / HugePages.byteCount)
    try cut(try memory(.huge), gone)
    withExtendedLifetime(pages) {}
  }

  private func cut(_ memory: HostMemory, _ gone: Gone) throws {
    let pair = try SeveralControllersTests.Pair()
    let host = try pair.attacker(memory: memory)
    var queue = try host.createQueue(1, depth: 16, vector: 1)
    try memory.truncate(to: Self.part)
    var entry = SubmissionQueueEntry.io(
      gone == .writtenData || gone == .copiedWrittenData ? .write : .read, nsid: 1, slba: 0,
      blocks: gone == .list ? 64 : 8)
    switch gone {
    case .readData, .writtenData: entry.prp1 = Self.dataAddress
    case .list:
      entry.prp1 = try memory.allocate(4096).iova
      entry.prp2 = Self.dataAddress
    case .copiedReadData, .copiedWrittenData:
      entry.prp1 = Self.dataAddress + 4
      entry.prp2 = Self.dataAddress + 4096
    }
    switch gone {
    case .readData, .writtenData:
      for _ in 0..<20 {
        let status = try queue.execute(entry).status
        #expect(status == .dataTransferError)
      }
      #expect(try !host.status().controllerFatalStatus, "it is the command that fails")
    default:
      _ = queue.submit(entry)
      queue.ring()
      try host.awaitStatus(
        "CSTS.CFS", timeout: UInt64(patience) * 1_000_000_000, toleratesFailure: true
      ) { $0.controllerFatalStatus }
      try pair.daemon.awaitLog("the client has taken guest memory away")
    }
    host.disconnect()
    try pair.finish()
  }

  /// The file is cut while direct I/O to it is under way: each command ends, one way or the other.
  @Test func memoryThatGoesUnderDirectIOEndsItsCommands() throws {
    let pair = try SeveralControllersTests.Pair()
    for round in 0..<8 {
      let memory = try memory()
      let host = try pair.attacker(memory: memory)
      var queue = try host.createQueue(1, depth: 32, vector: 1)
      let submitted = try submit(&queue)
      try memory.truncate(to: Self.part)
      for _ in 0..<submitted {
        let status = try queue.awaitCompletion().status
        #expect(status == .success || status == .dataTransferError, "round \(round)")
      }
      host.disconnect()
    }
    try pair.finish()
  }

  /// The disk has all commands when the file is cut. The kernel keeps the pages of what it transfers, and so each is done;
  /// the next finds no memory, and the controller goes on for others.
  @Test(.enabled(if: FUSEFile.isPossible, "mounting FUSE needs root"))
  func memoryThatGoesUnderTheDisksHandsIsThereToTheEnd() throws {
    let stuck = try StuckController()
    stuck.host.disconnect()
    let memory = try memory()
    let host = try HostController(
      path: stuck.controlled.folder.file("stuck.sock"), memory: memory,
      options: HostOptions(doorbells: .slots, vectors: 2))
    try host.initialize(queues: 2)
    var queue = try host.createQueue(1, depth: 32, vector: 1)
    var wellQueue = try stuck.well.createQueue(1, depth: 8, vector: 1)
    stuck.stick(.read, .write)
    let submitted = try submit(&queue)
    try stuck.disk.awaitHeld(submitted)
    try memory.truncate(to: Self.part)
    try stuck.checkOther(version: 1, &wellQueue)
    stuck.disk.repair()
    stuck.disk.release()
    for _ in 0..<submitted {
      let status = try queue.awaitCompletion().status
      #expect(status == .success)
    }
    _ = try submit(&queue)
    for _ in 0..<submitted {
      let status = try queue.awaitCompletion().status
      #expect(status == .dataTransferError)
    }
    #expect(try !host.status().controllerFatalStatus)
    let data = try memory.allocate(4096)
    try queue.writePattern(data, slba: 1024, version: 1, blockByteCount: 512)
    try queue.readPattern(data, slba: 1024, version: 1, blockByteCount: 512)
    try stuck.checkOther(version: 2, &wellQueue)
    host.disconnect()
    stuck.well.disconnect()
  }

  /// Submits reads and writes by turns, 8 KiB each, of the memory that can be cut away: as many as the queue takes.
  private func submit(_ queue: inout HostQueue) throws -> Int {
    var submitted = 0
    for index in 0..<31 {
      var entry = SubmissionQueueEntry.io(
        index % 2 == 0 ? .read : .write, nsid: 1, slba: UInt64(index * 16), blocks: 16)
      entry.prp1 = Self.dataAddress + UInt64(index * 8192)
      entry.prp2 = entry.prp1 + 4096
      if queue.submit(entry) != nil { submitted += 1 }
    }
    queue.ring()
    return submitted
  }

  /// What an access found in place of the file is the daemon's own memory. Commands cannot fill it: the range is out of
  /// reach from then on, also when the controller was reset.
  @Test func whatIsGoneStaysGone() throws {
    let pair = try SeveralControllersTests.Pair()
    let memory = try HostMemory(
      parts: [(Self.queueAddress, Self.part), (Self.dataAddress, 64 << 20)], backing: .unsealed)
    let host = try pair.attacker(memory: memory)
    var queue = try host.createQueue(1, depth: 16, vector: 1)
    try memory.truncate(to: Self.part)
    var list = SubmissionQueueEntry.io(.read, nsid: 1, slba: 0, blocks: 64)
    list.prp1 = try memory.allocate(4096).iova
    list.prp2 = Self.dataAddress
    _ = queue.submit(list)
    queue.ring()
    try host.awaitStatus(
      "CSTS.CFS", timeout: UInt64(patience) * 1_000_000_000, toleratesFailure: true
    ) { $0.controllerFatalStatus }
    let before = try ProcessStatistics(pair.daemon).anonymous
    try host.enable()
    var again = try host.createQueue(1, depth: 16, vector: 1)
    // 32 MiB of it, page by page.
    var failures = 0
    for page in 0..<(32 << 20) / 8192 as Range<Int> {
      var entry = SubmissionQueueEntry.io(.read, nsid: 1, slba: UInt64(page % 64) * 16, blocks: 16)
      entry.prp1 = Self.dataAddress + UInt64(page) * 8192
      entry.prp2 = entry.prp1 + 4096
      if try again.execute(entry).status == .dataTransferError { failures += 1 }
    }
    #expect(failures == (32 << 20) / 8192)
    let after = try ProcessStatistics(pair.daemon).anonymous
    #expect(after < before + 16 * 1024, "from \(before) to \(after) KiB")
    host.disconnect()
    try pair.finish()
  }

  /// A file whose file system somebody serves, perhaps the client: each access would wait for its server. It is no memory,
  /// and is not even asked.
  @Test(.enabled(if: FUSEFile.isPossible)) func aFileThatSomebodyServesIsNoMemory() throws {
    var options = FaultDisk.Options()
    options.isCached = true
    let disk = try FaultDisk(byteCount: 1 << 20, options: options)
    let served = try ServedController()
    var client = try ClientConnection(path: served.socketPath)
    try client.negotiate()
    let reads = disk.count(.read)
    let slow = try disk.open()
    for flags in [[.read], [.read, .write]] as [DMAMap.Flags] {
      #expect(throws: Errno.invalidArgument) {
        try client.dmaMap(
          DMAMap(flags: flags, fileOffset: 0, address: 0, length: 1 << 20), descriptor: slow.rawValue)
      }
    }
    #expect(disk.count(.read) == reads)
    _ = consume slow
    // A file of a disk is memory, and so is shared memory.
    let file = try served.folder.image("memory", byteCount: 1 << 20)
    try client.dmaMap(
      DMAMap(flags: [.read, .write], fileOffset: 0, address: 0, length: 1 << 20), descriptor: file.number)
    let memory = try HostMemory(byteCount: 1 << 20)
    try client.dmaMap(
      DMAMap(flags: [.read, .write], fileOffset: 0, address: 1 << 30, length: 1 << 20),
      descriptor: memory.descriptor)
    client.hangUp()
    try served.daemon.terminate()
  }
}
