import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// A disk that does not answer, as one behind a network that is down: only what needs it waits for it.
@Suite(.enabled(if: FUSEFile.isPossible, "mounting FUSE needs root")) struct StuckDiskTests {
  private static let read = SubmissionQueueEntry.io(.read, nsid: 1, slba: 0, blocks: 8)
  private static let write = SubmissionQueueEntry.io(.write, nsid: 1, slba: 64, blocks: 8)

  /// Reads, writes, flushes and zeros wait as long as it takes, and end well; nobody else waits.
  @Test func holdsUpNobodyElse() throws {
    let stuck = try StuckController()
    var queue = try stuck.host.createQueue(1, depth: 64, vector: 1)
    var other = try stuck.well.createQueue(1, depth: 64, vector: 1)
    BlockPattern.fill(stuck.data[0..<4096], slba: 64, version: 3, blockByteCount: 512)
    stuck.stick(.write, .allocate)
    // The write before the zeros, for which a worker would lock the file first where both were fetched together.
    var begun = [try stuck.begin(Self.write, &queue)]
    try stuck.disk.awaitHeld(1)
    begun.append(try stuck.begin(.io(.writeZeroes, nsid: 1, slba: 512, blocks: 8), &queue))
    begun.append(try stuck.begin(.flush(nsid: 1), &queue))
    try stuck.disk.awaitHeld(2)
    for version in 1...3 as ClosedRange<UInt64> { try stuck.checkOther(version: version, &other) }
    try stuck.checkControl()
    #expect(try stuck.state() == "ready")
    // Its own admin queue, registers and configuration space are there too.
    #expect(try stuck.host.identifyController() == stuck.host.identity)
    #expect(try stuck.host.status().ready)
    #expect(try Errors(stuck.host).entries.isEmpty)
    let aborted = try stuck.host.admin(.abort(submissionQueue: 1, command: begun[0]))
    #expect(aborted.status == .success)
    #expect(aborted.dw0 & 1 == 1, "what the kernel has cannot be aborted")
    stuck.disk.repair()
    stuck.disk.release()
    for identifier in begun {
      let status = try queue.awaitCompletion(of: identifier).status
      #expect(status == .success)
    }
    try queue.readPattern(stuck.data[0..<4096], slba: 64, version: 3, blockByteCount: 512)
    #expect(try Errors(stuck.host).entries.isEmpty)
    try stuck.controlled.daemon.terminate()
  }

  /// What is stuck fails as late as it does, with its own status.
  @Test func answersWhatFailsInTheEnd() throws {
    let stuck = try StuckController()
    var queue = try stuck.host.createQueue(1, depth: 64, vector: 1)
    stuck.stick(.read, .write)
    let read = try stuck.begin(Self.read, &queue)
    let write = try stuck.begin(Self.write, &queue)
    try stuck.disk.awaitHeld(2)
    stuck.disk.repair()
    stuck.disk.release(failingWith: ETIMEDOUT)
    let first = try queue.awaitCompletion(of: read).status
    #expect(first == .unrecoveredReadError)
    let second = try queue.awaitCompletion(of: write).status
    #expect(second == .writeFault)
    let errors = try Errors(stuck.host)
    #expect(errors.smart.mediaAndDataIntegrityErrors == 2)
    #expect(errors.smart.numberOfErrorInformationLogEntries == 2)
    try queue.writePattern(stuck.data[0..<4096], slba: 0, version: 1, blockByteCount: 512)
    try stuck.controlled.daemon.terminate()
  }

  /// Memory that a stuck command uses cannot be taken back: the client is told so while it still listens, as often as it
  /// asks. It has gone when the command has ended.
  @Test func refusesToUnmapWhatIsInUse() throws {
    let stuck = try StuckController()
    var queue = try stuck.host.createQueue(1, depth: 64, vector: 1)
    let free = DMARange(iova: 0x4000_0000, fileOffset: 0, byteCount: 4096)
    try stuck.host.map(free)
    stuck.stick(.read)
    let read = try stuck.begin(Self.read, &queue)
    try stuck.disk.awaitHeld(1)
    for _ in 0..<2 {
      #expect(throws: HostError.message(.busy)) { try stuck.host.unmap(stuck.range) }
    }
    try stuck.controlled.daemon.awaitLog("the storage does not answer")
    // For commands it is not there any more, and other memory can be taken back.
    let gone = try queue.read(slba: 0, blocks: 1, into: stuck.data[0..<512]).status
    #expect(gone == .dataTransferError)
    try stuck.host.unmap(free)
    // At the same address there may be memory again, which the old command does not touch.
    try stuck.host.map(DMARange(iova: stuck.range.iova, fileOffset: 0, byteCount: 4096))
    stuck.disk.repair()
    stuck.disk.release()
    let late = try queue.awaitCompletion(of: read).status
    #expect(late == .success)
    try stuck.host.unmapAll()
    stuck.host.disconnect()
    try stuck.controlled.daemon.terminate()
  }

  enum Reset: CaseIterable {
    case function
    case device
  }

  /// A reset of the function ends when nothing is in flight, but its message is answered before; what the client sets
  /// meanwhile is not lost.
  @Test(arguments: Reset.allCases) func answersResets(_ reset: Reset) throws {
    let stuck = try StuckController()
    var queue = try stuck.host.createQueue(1, depth: 64, vector: 1)
    stuck.stick(.read)
    _ = try stuck.begin(Self.read, &queue)
    try stuck.disk.awaitHeld(1)
    #expect(throws: HostError.message(.busy)) {
      switch reset {
      case .function: try stuck.host.functionLevelReset()
      case .device: try stuck.host.deviceReset()
      }
    }
    #expect(try stuck.host.readConfiguration16(at: 4) & 4 == 0, "bus mastering is off")
    #expect(try stuck.host.status().ready, "what is in flight is awaited")
    try stuck.host.enableDevice()
    stuck.disk.repair()
    stuck.disk.release()
    try stuck.host.awaitStatus("not ready", timeout: 120_000_000_000) { !$0.ready }
    #expect(try stuck.host.readConfiguration16(at: 4) & 4 == 4, "what was set meanwhile holds")
    try stuck.host.initialize(queues: 1)
    var next = try stuck.host.createQueue(1, depth: 64, vector: 1)
    try next.writePattern(stuck.data[0..<4096], slba: 0, version: 1, blockByteCount: 512)
    try stuck.controlled.daemon.terminate()
  }

  /// CC.EN to 0: RDY stays until nothing is in flight, and everything else answers.
  @Test func awaitsWhatIsInFlightToDisable() throws {
    let stuck = try StuckController()
    var queue = try stuck.host.createQueue(1, depth: 64, vector: 1)
    var other = try stuck.well.createQueue(1, depth: 64, vector: 1)
    stuck.stick(.write)
    _ = try stuck.begin(Self.write, &queue)
    try stuck.disk.awaitHeld(1)
    var configuration = try stuck.host.configuration()
    configuration.enable = false
    try stuck.host.write(configuration)
    try stuck.checkOther(version: 1, &other)
    try stuck.checkControl()
    #expect(try stuck.host.status().ready)
    stuck.disk.repair()
    stuck.disk.release()
    try stuck.host.disable()
    try stuck.host.initialize(queues: 1)
    try stuck.controlled.daemon.terminate()
  }

  /// A client that goes is awaited; the next one is served when nothing of the first is in flight.
  @Test func servesTheNextClientWhenTheDiskAnswers() throws {
    let stuck = try StuckController()
    var queue = try stuck.host.createQueue(1, depth: 64, vector: 1)
    var other = try stuck.well.createQueue(1, depth: 64, vector: 1)
    BlockPattern.fill(stuck.data[0..<4096], slba: 64, version: 9, blockByteCount: 512)
    stuck.stick(.write)
    _ = try stuck.begin(Self.write, &queue)
    try stuck.disk.awaitHeld(1)
    stuck.host.disconnect()
    try stuck.controlled.daemon.awaitLog("client disconnected")
    try stuck.checkOther(version: 1, &other)
    #expect(try stuck.state() == "ending")
    stuck.disk.repair()
    stuck.disk.release()
    let (next, data) = try StuckController.connect(stuck.controlled)
    var last = try next.createQueue(1, depth: 64, vector: 1)
    try last.readPattern(data[0..<4096], slba: 64, version: 9, blockByteCount: 512)
    next.disconnect()
    try stuck.controlled.daemon.terminate()
  }

  /// SIGTERM: the daemon ends when the disk has answered, and in order.
  @Test func endsWhenTheDiskHasAnswered() throws {
    let stuck = try StuckController()
    var queue = try stuck.host.createQueue(1, depth: 64, vector: 1)
    stuck.stick(.write)
    _ = try stuck.begin(Self.write, &queue)
    try stuck.disk.awaitHeld(1)
    Glibc.kill(stuck.controlled.daemon.pid, SIGTERM)
    try stuck.controlled.daemon.awaitLog("the server stops", count: 2)
    #expect(stuck.controlled.daemon.isRunning)
    stuck.disk.repair()
    let syncs = stuck.disk.count(.sync)
    stuck.disk.release()
    #expect(try stuck.controlled.daemon.awaitEnd() == .exit(0))
    #expect(stuck.disk.count(.sync) > syncs, "what was written is durable at the end")
  }

  /// A disk that goes for good ends everything that waits for it with an error, and the daemon in order.
  @Test func survivesADiskThatGoesForGood() throws {
    let stuck = try StuckController()
    var queue = try stuck.host.createQueue(1, depth: 64, vector: 1)
    var other = try stuck.well.createQueue(1, depth: 64, vector: 1)
    stuck.stick(.read, .write, .sync, .allocate)
    let read = try stuck.begin(Self.read, &queue)
    try stuck.disk.awaitHeld(1)
    // The write before the zeros, for which a worker would lock the file first where both were fetched together.
    let write = try stuck.begin(Self.write, &queue)
    try stuck.disk.awaitHeld(2)
    let zeros = try stuck.begin(.io(.writeZeroes, nsid: 1, slba: 512, blocks: 8), &queue)
    try stuck.disk.awaitHeld(3)
    let flush = try stuck.begin(.flush(nsid: 1), &queue)
    stuck.disk.disconnect()
    let statuses = try [read, write, zeros, flush].map { try queue.awaitCompletion(of: $0).status }
    #expect(!statuses.contains { $0.isSuccess }, "\(statuses)")
    try stuck.checkOther(version: 1, &other)
    #expect(try Errors(stuck.host).smart.criticalWarning == .reliabilityDegraded)
    try stuck.controlled.daemon.terminate()
  }

  /// A disk that keeps the thread which asks it, as a file system may: commands of all controllers of that I/O thread
  /// wait, and nothing else. Another I/O thread's do not.
  @Test func keepsTheControlPlaneWhenTheDiskKeepsTheThread() throws {
    let stuck = try StuckController(FaultDisk.Options(isAsynchronous: false))
    var queue = try stuck.host.createQueue(1, depth: 64, vector: 1)
    stuck.stick(.write)
    let write = try stuck.begin(Self.write, &queue)
    try stuck.disk.awaitHeld(1)
    #expect(try stuck.controlled.ctl("status").end == .exit(0))
    #expect(try stuck.well.status().ready)
    #expect(try stuck.host.status().ready)
    #expect(try stuck.well.identifyController() == stuck.well.identity)
    stuck.disk.repair()
    stuck.disk.release()
    let status = try queue.awaitCompletion(of: write).status
    #expect(status == .success)
    try stuck.controlled.daemon.terminate()
  }
}
