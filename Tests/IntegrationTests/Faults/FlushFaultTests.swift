import Glibc
import NVMeHost
import NVMeSpec
import Testing

/// Syncs that fail: nothing that they were to make durable is called so, then and later.
@Suite(.enabled(if: FUSEFile.isPossible, "mounting FUSE needs root")) struct FlushFaultTests {
  /// The kernel tells of a failed sync once, and the next one works; nvmed goes on telling.
  @Test(arguments: [EIO, ENOSPC, EDQUOT, ETIMEDOUT, EROFS]) func keepsFailingAfterASyncThatFailed(_ error: Int32) throws
  {
    let faulty = try FaultyController()
    let host = faulty.host
    var queue = try faulty.queue()
    try host.requireSuccess(
      host.setFeature(
        .asynchronousEventConfiguration, AsynchronousEventConfiguration.reliabilityDegraded.rawValue))
    let request = try host.requestEvent()
    try queue.writePattern(faulty.data, slba: 0, version: 1, blockByteCount: 512)
    faulty.disk.inject(Fault(.sync, count: 1, .error(error)))
    let expected: Status = error == EROFS ? .namespaceWriteProtected : .writeFault
    let first = try queue.flush().status
    #expect(first == expected)

    // What the host is told, beside the status.
    #expect(try host.awaitEvent(request) == .subsystemReliability)
    var errors = try Errors(host)
    #expect(errors.smart.criticalWarning == .reliabilityDegraded)
    #expect(errors.smart.mediaAndDataIntegrityErrors == (expected.statusCodeType == .mediaError ? 1 : 0))
    #expect(errors.entries.map { $0.statusAndPhase >> 1 } == [expected.rawValue])
    let syncs = faulty.disk.count(.sync)
    for nsid in [1, NamespaceIdentifier.all] {
      let again = try queue.flush(nsid: nsid).status
      #expect(again == .writeFault)
    }
    #expect(faulty.disk.count(.sync) == syncs, "nobody asks a disk that cannot know")
    errors = try Errors(host)
    #expect(errors.smart.numberOfErrorInformationLogEntries == 3)

    // Reads and writes go on, and what is durable by itself is.
    let forced = try queue.write(slba: 8, blocks: 8, from: faulty.data, forceUnitAccess: true).status
    #expect(forced == .success)
    // Nor does a reset of the controller, or another client, bring the lost data back.
    try host.disable()
    try host.initialize(queues: 2)
    var next = try faulty.queue()
    let afterReset = try next.flush().status
    #expect(afterReset == .writeFault)
    host.disconnect()
    let other = try HostController(
      path: faulty.folder.file("socket"), memory: try HostMemory(byteCount: 8 << 20),
      options: HostOptions(doorbells: .slots, vectors: 2))
    try other.initialize(queues: 1)
    var last = try other.createQueue(1, depth: 8, vector: 1)
    let afterDisconnect = try last.flush().status
    #expect(afterDisconnect == .writeFault)
    #expect(try Errors(other).smart.criticalWarning == .reliabilityDegraded)
    other.disconnect()
    try faulty.daemon.terminate()
  }

  /// A flush that is under way while another one fails is no success either: the kernel may have told that one alone.
  @Test func failsEveryFlushThatWasUnderWay() throws {
    let stuck = try StuckController()
    var queue = try stuck.host.createQueue(1, depth: 64, vector: 1)
    stuck.disk.inject(Fault(.sync, count: 1, .hold))
    let identifiers = try (0..<3).map { _ in try stuck.begin(.flush(nsid: 1), &queue) }
    // (The kernel's FUSE does one at a time, so the others wait for this one, in the kernel.)
    try stuck.disk.awaitHeld(1)
    try stuck.awaitInFlight(3, queue: 1)
    stuck.disk.release(failingWith: EIO)
    for identifier in identifiers {
      let status = try queue.awaitCompletion(of: identifier).status
      #expect(status == .writeFault)
    }
    try stuck.controlled.daemon.terminate()
  }

  /// Errors that say that no sync was tried are no loss.
  @Test(arguments: [EAGAIN, ENOMEM, EINTR]) func survivesSyncsThatWereNotTried(_ error: Int32) throws {
    let faulty = try FaultyController()
    var queue = try faulty.queue()
    try queue.writePattern(faulty.data, slba: 0, version: 1, blockByteCount: 512)
    let syncs = faulty.disk.count(.sync)
    faulty.disk.inject(Fault(.sync, count: 1, .error(error)))
    let first = try queue.flush().status
    #expect(!first.doNotRetry)
    #expect(faulty.disk.count(.sync) == syncs + (first.isSuccess ? 2 : 1), "success takes a sync that succeeds")
    let before = faulty.disk.count(.sync)
    let second = try queue.flush().status
    #expect(second == .success)
    #expect(faulty.disk.count(.sync) == before + 1)
    #expect(try Errors(faulty.host).smart.criticalWarning == [])
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }

  /// A kernel or file system without an asynchronous sync says so; a worker does it then, and its result counts.
  @Test(arguments: [EINVAL, EOPNOTSUPP]) func syncsByAWorkerWhereTheKernelCannot(_ error: Int32) throws {
    let faulty = try FaultyController()
    var queue = try faulty.queue()
    let syncs = faulty.disk.count(.sync)
    faulty.disk.inject(Fault(.sync, count: 1, .error(error)))
    let status = try queue.flush().status
    #expect(status == .success)
    #expect(faulty.disk.count(.sync) == syncs + 2)
    faulty.disk.inject(Fault(.sync, count: 1, .error(error)))
    faulty.disk.inject(Fault(.sync, count: 1, .error(EIO)))
    let failed = try queue.flush().status
    #expect(failed == .writeFault)
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }

  /// Through the page cache a write succeeds and is lost when it is written back; the flush after it must say so,
  /// whichever way the kernel's only report of it was used up.
  @Test(arguments: [false, true]) func reportsLossesOfThePageCache(_ isForced: Bool) throws {
    let faulty = try FaultyController(FaultDisk.Options(isCached: true))
    var queue = try faulty.queue()
    try queue.writePattern(faulty.data, slba: 0, version: 1, blockByteCount: 512)
    faulty.disk.inject(Fault(.write, range: 0..<65_536, .error(EIO)))
    if isForced {
      // The write itself is elsewhere, and well.
      let forced = try queue.write(slba: 4096, blocks: 8, from: faulty.data, forceUnitAccess: true).status
      #expect(forced == .writeFault || forced == .success)
    }
    let flush = try queue.flush().status
    #expect(flush == .writeFault)
    faulty.disk.repair()
    let again = try queue.flush().status
    #expect(again == .writeFault)
    #expect(try Errors(faulty.host).smart.criticalWarning == .reliabilityDegraded)
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }
}
