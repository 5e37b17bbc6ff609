import Glibc
import NVMeHost
import NVMeSpec
import Testing

/// Whatever promises that data is durable waits until the disk has said so, and says what it has said; meanwhile the
/// rest goes on.
@Suite(.enabled(if: FUSEFile.isPossible, "mounting FUSE needs root")) struct HeldSyncTests {
  /// What waits on an I/O queue.
  enum Command: CaseIterable {
    case flush
    case flushOfAllNamespaces
    /// Through the page cache, so that a sync follows.
    case forcedWrite
    case forcedZeros
    case zerosWithCacheOff

    var isCached: Bool { self == .forcedWrite }

    var entry: SubmissionQueueEntry {
      var entry: SubmissionQueueEntry
      switch self {
      case .flush: return .flush(nsid: 1)
      case .flushOfAllNamespaces: return .flush(nsid: NamespaceIdentifier.all)
      case .forcedWrite: entry = .io(.write, nsid: 1, slba: 64, blocks: 8)
      case .forcedZeros, .zerosWithCacheOff: entry = .io(.writeZeroes, nsid: 1, slba: 64, blocks: 8)
      }
      entry.forceUnitAccess = self != .zerosWithCacheOff
      return entry
    }
  }

  @Test(arguments: Command.allCases, [0, EIO]) func commandsEndWithTheirSync(_ command: Command, _ error: Int32) throws
  {
    let faulty = try FaultyController(FaultDisk.Options(isCached: command.isCached))
    var queue = try faulty.queue()
    if command == .zerosWithCacheOff {
      try faulty.host.requireSuccess(faulty.host.setFeature(.volatileWriteCache, 0))
    }
    // (What is read is in the page cache then.)
    try queue.writePattern(faulty.data[0..<4096], slba: 0, version: 1, blockByteCount: 512)
    faulty.disk.inject(Fault(.sync, count: 1, .hold))
    let identifier = try submit(command.entry, faulty, &queue)
    try faulty.disk.awaitHeld(1)
    let read = try submit(.io(.read, nsid: 1, slba: 0, blocks: 8), faulty, &queue)
    let first = try queue.awaitCompletion()
    #expect(first.commandIdentifier == read)
    faulty.disk.release(failingWith: error)
    let status = try queue.awaitCompletion(of: identifier).status
    #expect(status == (error == 0 ? .success : .writeFault))
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }

  private func submit(
    _ entry: SubmissionQueueEntry, _ faulty: FaultyController, _ queue: inout HostQueue
  ) throws -> UInt16 {
    var entry = entry
    entry.prp1 = faulty.data.iova
    guard let identifier = queue.submit(entry) else { throw TestFailure("the queue is full") }
    queue.ring()
    return identifier
  }

  /// Set Features: the write cache off.
  @Test(arguments: [false, true], [0, EIO]) func theCacheIsOffWithItsSync(_ isCached: Bool, _ error: Int32) throws {
    let faulty = try FaultyController(FaultDisk.Options(isCached: isCached))
    let host = faulty.host
    var queue = try faulty.queue()
    try queue.writePattern(faulty.data, slba: 0, version: 1, blockByteCount: 512)
    faulty.disk.inject(Fault(.sync, count: 1, .hold))
    let off = SubmissionQueueEntry.setFeatures(FeatureIdentifier.volatileWriteCache.rawValue, 0)
    let identifier = try host.withAdminQueue { (admin) throws(HostError) in
      let identifier = admin.submit(off)
      admin.ring()
      return identifier
    }
    try faulty.disk.awaitHeld(1)
    let get = try host.withAdminQueue { (admin) throws(HostError) in
      let get = admin.submit(.getFeatures(FeatureIdentifier.arbitration.rawValue))
      admin.ring()
      let first = try admin.awaitCompletion()
      return first.commandIdentifier == get
    }
    #expect(get, "the other command ends first")
    faulty.disk.release(failingWith: error)
    let status = try host.withAdminQueue { (admin) throws(HostError) in
      try admin.awaitCompletion(of: identifier ?? 0).status
    }
    #expect(status == (error == 0 ? .success : .writeFault))
    host.disconnect()
    try faulty.daemon.terminate()
  }

  /// CC.SHN: the shutdown is complete when all is durable.
  @Test(arguments: [false, true]) func theShutdownEndsWithItsSync(_ isCached: Bool) throws {
    let faulty = try FaultyController(FaultDisk.Options(isCached: isCached))
    let host = faulty.host
    var queue = try faulty.queue()
    try queue.writePattern(faulty.data, slba: 0, version: 1, blockByteCount: 512)
    faulty.disk.inject(Fault(.sync, count: 1, .hold))
    var configuration = try host.configuration()
    configuration.shutdownNotification = .normal
    try host.write(configuration)
    try faulty.disk.awaitHeld(1)
    #expect(try host.status().shutdownStatus == .inProgress)
    faulty.disk.release()
    try host.awaitStatus("CSTS.SHST complete", timeout: 120_000_000_000) { $0.shutdownStatus == .complete }
    host.disconnect()
    try faulty.daemon.terminate()
  }

  /// A Flush of all namespaces is a sync of each, and fails where one does.
  @Test(arguments: [false, true], [nil, 0, 1]) func aFlushOfAllIsAFlushOfEach(_ isCached: Bool, _ failing: Int?) throws
  {
    let faulty = try FaultyController(disks: 2, FaultDisk.Options(isCached: isCached))
    var queue = try faulty.queue()
    for nsid in [1, 2] as [UInt32] {
      try queue.writePattern(faulty.data, slba: 0, version: UInt64(nsid), blockByteCount: 512, nsid: nsid)
    }
    let syncs = faulty.disks.map { $0.count(.sync) }
    for disk in faulty.disks { disk.inject(Fault(.sync, count: 1, .hold)) }
    let identifier = try submit(.flush(nsid: NamespaceIdentifier.all), faulty, &queue)
    for (index, disk) in faulty.disks.enumerated() {
      try disk.awaitHeld(1)
      disk.release(failingWith: index == failing ? EIO : 0)
      if index == failing { break }
    }
    let status = try queue.awaitCompletion(of: identifier).status
    #expect(status == (failing == nil ? .success : .writeFault))
    #expect(faulty.disks[0].count(.sync) == syncs[0] + 1)
    if failing != 0 { #expect(faulty.disks[1].count(.sync) == syncs[1] + 1) }
    // What is lost of one is lost of all, and not of the other.
    for disk in faulty.disks { disk.repair() }
    for nsid in [1, 2, NamespaceIdentifier.all] as [UInt32] {
      let status = try queue.flush(nsid: nsid).status
      let isLost = nsid == NamespaceIdentifier.all ? failing != nil : nsid == UInt32((failing ?? 2) + 1)
      #expect(status == (isLost ? .writeFault : .success), "namespace \(nsid)")
    }
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }
}
