import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// The power of the disk beneath the daemon is cut at every point of a load on several queues: what was acknowledged as
/// durable is there, and no block is torn.
///
/// `NVMED_CRASH_COMMANDS` is how many commands a part of the load has on each queue; scripts/crash-test sets it.
@Suite(.enabled(if: FaultDisk.isPossible, "mounting FUSE needs root")) struct PowerCutTests {
  struct Setting: Sendable, CustomTestStringConvertible {
    var block: Int
    var isBuffered = false
    /// More of the controller's configuration.
    var lines = ""
    var failsSyncs = false
    var testDescription: String {
      "\(block)\(isBuffered ? " buffered" : "")\(failsSyncs ? " failing syncs" : "") \(lines)"
    }
  }

  static let settings = [
    Setting(block: 512), Setting(block: 4096), Setting(block: 512, isBuffered: true),
    Setting(block: 4096, isBuffered: true), Setting(block: 4096, lines: "write_iops_limit = 2000"),
    Setting(block: 512, failsSyncs: true), Setting(block: 4096, isBuffered: true, failsSyncs: true),
  ]

  static let commands = environment("NVMED_CRASH_COMMANDS").flatMap { Int($0) } ?? 25

  @Test(arguments: settings) func keepsWhatItPromised(_ setting: Setting) throws {
    let depth = 12
    let queueCount = 3
    let blockCount = CrashLoad.blockCount(depth: depth) * queueCount
    let disk = try RecordedDisk(byteCount: blockCount * setting.block)
    let file = try FUSEFile(disk, isCached: setting.isBuffered)
    defer { file.disconnect() }
    let folder = try TestFolder()
    let daemon = try DaemonProcess(
      ["serve", "--config", try configuration(folder, setting)],
      handover: [(descriptor: file.descriptor.rawValue, number: 9)])
    try daemon.awaitReady()
    let history = CrashHistory(blockCount: blockCount)
    var options = CrashLoad.Options(depth: depth)
    options.allowsErrors = setting.failsSyncs
    var seed: UInt64 = 1

    func connect() throws -> HostController {
      let host = try HostController(
        path: folder.file("socket"), memory: try HostMemory(byteCount: 16 << 20),
        options: HostOptions(doorbells: .slots, vectors: queueCount + 1))
      try host.initialize(queues: queueCount)
      return host
    }
    func loads(_ host: HostController) throws -> CrashLoads {
      seed += 1
      return try CrashLoads(
        host, queueCount: queueCount, history: history, blockByteCount: setting.block, options: options, seed: seed
      ) { disk.position }
    }

    // The write cache is turned off and on while commands are in flight.
    var host = try connect()
    var running = try loads(host)
    let wait = try running.start(commands: Self.commands)
    for _ in 0..<3 {
      if try host.setFeature(.volatileWriteCache, 0).status.isSuccess { history.turnCacheOff(position: disk.position) }
      sched_yield()
      history.turnCacheOn()
      try host.requireSuccess(host.setFeature(.volatileWriteCache, 1))
    }
    _ = try wait()
    if setting.failsSyncs {
      disk.failSyncs(.inputOutput)
      try running.run(commands: Self.commands)
    }

    // The guest shuts down in order.
    let shutDown = history.beginFlush()
    try host.shutdown()
    if !setting.failsSyncs { history.endFlush(shutDown, position: disk.position) }
    try host.disable()
    // It is reset with commands in flight.
    try host.initialize(queues: queueCount)
    running = try loads(host)
    try running.run(commands: Self.commands, leavesInFlight: true)
    try host.disable()
    try host.initialize(queues: queueCount)
    running = try loads(host)
    // The monitor goes with commands in flight; the next one's wait for their end.
    try running.run(commands: Self.commands, leavesInFlight: true)
    host.disconnect()
    host = try connect()
    running = try loads(host)
    try running.run(commands: Self.commands)
    // The daemon is told to end.
    let end = history.beginFlush()
    kill(daemon.pid, SIGTERM)
    let status = try daemon.awaitEnd()
    if !setting.failsSyncs {
      #expect(status == .exit(0))
      history.endFlush(end, position: disk.position)
    }

    let cuts = PowerCuts(disk, history, blockByteCount: setting.block)
    #expect(cuts.violations.isEmpty, "\(cuts.violations.joined(separator: "\n"))")
    #expect(cuts.promiseCount > Self.commands)
    print("\(setting.testDescription): \(cuts.count) power cuts, \(cuts.promiseCount) promises of a block")
  }

  private func configuration(_ folder: TestFolder, _ setting: Setting) throws -> String {
    try folder.text(
      "nvmed.toml",
      """
      [daemon]
      io_threads = 2
      [[controller]]
      socket = "\(folder.file("socket"))"
      name = "disk"
      post_write = "kernel"
      \(setting.lines)
      [[controller.namespace]]
      image = "/proc/self/fd/9"
      block_size = \(setting.block)
      cache = "\(setting.isBuffered ? "buffered" : "direct")"
      """)
  }
}
