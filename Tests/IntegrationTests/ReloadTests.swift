import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// SIGHUP: controllers that come and go, limits, and files that are refused, under load.
@Suite struct ReloadTests {
  private static let first = ReloadedDaemon.controller("a") + ReloadedDaemon.namespace("x.img")
  private static let second = ReloadedDaemon.controller("b") + ReloadedDaemon.namespace("y.img")

  /// A daemon with the controller "a", whose guest has load that never stops.
  private struct Rig {
    let reloaded: ReloadedDaemon
    let host: HostController
    let load: BackgroundLoad

    init() throws {
      let folder = try TestFolder()
      for image in ["x.img", "y.img"] { _ = try folder.image(image, byteCount: 4 << 20) }
      reloaded = try ReloadedDaemon(folder, first)
      host = try reloaded.host("a.sock")
      let queue = try host.createQueue(1, depth: 32, vector: 1)
      load = try BackgroundLoad(try VerifiedLoad(queue, memory: host.memory, depth: 16, firstBlock: 0, seed: 5))
      try load.awaitBatches(3)
    }

    func finish() throws {
      try load.awaitBatches(3)
      var result = try load.stop()
      try result.finish()
      #expect(try !host.status().controllerFatalStatus)
      host.disconnect()
      try reloaded.daemon.terminate()
    }
  }

  /// One comes, is used, and goes while its guest writes: what was acknowledged is in its image; the other one goes on.
  @Test func controllersComeAndGo() throws {
    let rig = try Rig()
    for round in 1...3 as ClosedRange<UInt64> {
      #expect(try rig.reloaded.reload(ReloadTests.first + ReloadTests.second))
      let host = try rig.reloaded.host("b.sock")
      var queue = try host.createQueue(1, depth: 32, vector: 1)
      let data = try host.memory.allocate(4096)
      try queue.writePattern(data, slba: 64, version: round, blockByteCount: 512)
      var entry = SubmissionQueueEntry.io(.write, nsid: 1, slba: 64, blocks: 8)
      entry.prp1 = data.iova
      for _ in 0..<20 { _ = queue.submit(entry) }
      queue.ring()
      #expect(try rig.reloaded.reload(ReloadTests.first))
      #expect(try !rig.reloaded.hasOpen("y.img"))
      #expect(access(rig.reloaded.folder.file("b.sock"), F_OK) != 0)
      #expect(throws: HostError.self) { _ = try host.status() }
      host.disconnect()
      let content = BlockPattern.bytes(slba: 64, blocks: 8, version: round, blockByteCount: 512)
      let image = try FileDescriptor(path: rig.reloaded.folder.file("y.img"), flags: O_RDONLY)
      var bytes = [UInt8](repeating: 0, count: 4096)
      try #require(pread(image.rawValue, &bytes, 4096, 32_768) == 4096)
      #expect(bytes == content)
      try rig.load.awaitBatches(2)
    }
    try rig.finish()
  }

  /// Whatever is wrong with the file: nothing changes, and the log says why.
  @Test func refusals() throws {
    let rig = try Rig()
    let refused: [(configuration: String, reason: String)] = [
      ("[[controller]\n", "nvmed.toml:1"),
      (ReloadTests.first + "[[controller]]\nnam = \"b\"\n", "did you mean 'name'?"),
      (
        ReloadedDaemon.controller("a", "model = \"other\"\nio_queues = 3") + ReloadedDaemon.namespace("x.img")
          + ReloadedDaemon.namespace("y.img") + ReloadTests.second.replacing("y.img", with: "z.img"),
        "controller.model: \"a\": cannot change while it runs"
      ),
      (ReloadTests.first + ReloadedDaemon.namespace("none.img"), "none.img"),
      (ReloadTests.first + ReloadTests.second + ReloadedDaemon.namespace("none.img"), "none.img"),
      ("[daemon]\nio_threads = 3\n" + ReloadTests.first + ReloadTests.second, "daemon.io_threads: cannot change"),
      (
        ReloadedDaemon.controller("a", "iops_burst = 5") + ReloadedDaemon.namespace("x.img"),
        "controller.iops_burst: has no effect without iops_limit"
      ),
    ]
    for (configuration, reason) in refused {
      let isTaken = try rig.reloaded.reload(configuration)
      #expect(!isTaken, "\(reason)")
      #expect(rig.reloaded.daemon.log.text.contains(reason), "\(rig.reloaded.daemon.log.text)")
      #expect(try rig.host.activeNamespaces() == [1])
      #expect(access(rig.reloaded.folder.file("b.sock"), F_OK) != 0)
      #expect(try !rig.reloaded.hasOpen("y.img"))
    }
    try #require(unlink(rig.reloaded.folder.file("nvmed.toml")) == 0)
    #expect(try !rig.reloaded.reload(), "the file is gone")
    #expect(try rig.reloaded.reload(ReloadTests.first))
    try rig.finish()
  }

  /// In any time no more than the burst and what the rate is worth; admin commands are not limited; and a limit that is
  /// taken away is away.
  @Test func limits() throws {
    let folder = try TestFolder()
    _ = try folder.image("x.img", byteCount: 4 << 20)
    let limited =
      ReloadedDaemon.controller("a", "iops_limit = 2000\niops_burst = 50") + ReloadedDaemon.namespace("x.img")
    let start = Clock.monotonic
    let reloaded = try ReloadedDaemon(folder, limited)
    let host = try reloaded.host("a.sock")
    var load = try VerifiedLoad(
      try host.createQueue(1, depth: 32, vector: 1), memory: host.memory, depth: 31, firstBlock: 0, seed: 6)
    try load.run(commands: 1000)
    let elapsed = Clock.monotonic - start
    // 1000 commands are not there before 475 ms, however fast the disk.
    #expect(1000 <= 50 + 2000 * elapsed / 1_000_000_000 + 1)
    // Bytes: each command has 512 to 4096, and the last may overdraw.
    #expect(
      try reloaded.reload(
        ReloadedDaemon.controller("a", "bandwidth_limit = \"1MiB/s\"\nbandwidth_burst = \"64KiB\"")
          + ReloadedDaemon.namespace("x.img")))
    let second = Clock.monotonic
    let data = try host.memory.allocate(4096)
    for slba in 0..<100 as Range<UInt64> {
      let status = try load.queue.read(slba: slba * 8 + 1024, blocks: 8, into: data).status
      #expect(status == .success)
      if slba == 50 { #expect(try host.identifyController() == host.identity) }
    }
    let bytes = UInt64(100 * 4096)
    #expect(bytes <= 65_536 + (Clock.monotonic - second) * (1 << 20) / 1_000_000_000 + 4096)
    #expect(try reloaded.reload(ReloadTests.first))
    try load.run(commands: 1000)
    try load.finish()
    host.disconnect()
    try reloaded.daemon.terminate()
  }

  /// A limit that comes while commands are in flight, and goes while commands wait for it, under a load that checks all.
  @Test func limitsUnderLoad() throws {
    let rig = try Rig()
    for rate in [100, 20_000, 500] {
      let limited = ReloadedDaemon.controller("a", "iops_limit = \(rate)\nread_bandwidth_limit = \"4MiB/s\"")
      #expect(try rig.reloaded.reload(limited + ReloadedDaemon.namespace("x.img")))
      try rig.load.awaitBatches(2)
      #expect(try rig.reloaded.reload(ReloadTests.first))
      try rig.load.awaitBatches(3)
    }
    try rig.finish()
  }

  @Test func withoutAFile() throws {
    let served = try ServedController()
    kill(served.daemon.pid, SIGHUP)
    try served.daemon.awaitLog("there is no configuration file to read again")
    try served.daemon.terminate()
  }
}
