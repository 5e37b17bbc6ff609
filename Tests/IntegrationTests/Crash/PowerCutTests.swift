import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// The power of the disk beneath the daemon is cut at every point of a load on several queues: what was acknowledged as
/// durable is there, and no block is torn. The disk answers some requests late (`RecordedDisk.hold()`), so that they are
/// under way when others come, and when the controller is reset or its client goes.
///
/// What these tests and others were seen to notice, each in a daemon that was made to do it:
///
/// - Force Unit Access or the cache off ignored, `RWF_DSYNC` not passed on, no sync after a buffered write: every setting
///   here that it concerns.
/// - No sync at CC.SHN or at SIGTERM: every setting here in which syncs succeed; `HeldSyncTests`, `StuckDiskTests`.
/// - Zeros with Force Unit Access not synced: most settings here; `HeldSyncTests`.
/// - A Flush that is none: here, `FlushFaultTests`, `DurabilityTests`, `FileSystemCutTests`. One that ignores its error, or
///   an earlier one's: `FlushFaultTests`; the first also the setting of blocks of 512 bytes whose syncs fail.
/// - The cache off before its sync has ended is a race here, noticed in one or two settings of seven; `HeldSyncTests`
///   always.
/// - A Flush of all namespaces that skips one, only `HeldSyncTests`; a block in two pages that is not bounced, only
///   `TornBlockTests`.
///
/// `NVMED_CRASH_COMMANDS` is how many commands a part of the load has on each queue; scripts/crash-test sets it.
@Suite(.enabled(if: FUSEFile.isPossible, "mounting FUSE needs root")) struct PowerCutTests {
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

  /// How many commands on each queue make a part of the load.
  static let commands = environment("NVMED_CRASH_COMMANDS").flatMap { Int($0) } ?? 25

  /// How many writes have to complete each time the cache is off.
  static let writtenThrough = 8
  /// How many requests the disk has where commands are left in flight.
  static let left = 4

  @Test(arguments: settings) func keepsWhatItPromised(_ setting: Setting) throws {
    let depth = 12
    let queueCount = 3
    let blockCount = CrashLoad.blockCount(depth: depth) * queueCount
    let disk = try RecordedDisk(byteCount: blockCount * setting.block, isCached: setting.isBuffered)
    defer { disk.disconnect() }
    let folder = try TestFolder()
    let file = try disk.open()
    let daemon = try DaemonProcess(
      ["serve", "--config", try configuration(folder, setting)],
      handover: [(descriptor: file.rawValue, number: 9)])
    _ = consume file
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

    /// Runs loads to their end; with the disk late, but for the last ones.
    func run(_ running: CrashLoads, asks: Bool = true, during body: () throws -> Void = {}) throws {
      let isOver = StopFlag()
      defer { isOver.set() }
      disk.hold()
      let wait = try running.start(
        commands: Self.commands, asks: asks, goesOn: { !isOver.isSet }, drains: { disk.letGo() })
      try body()
      isOver.set()
      _ = try wait()
    }
    /// Runs loads, and leaves commands in flight that the disk has.
    func interrupt(_ running: CrashLoads) throws {
      let stops = StopFlag()
      disk.hold()
      let wait = try running.start(commands: .max / 2, leavesInFlight: true, shouldStop: { stops.isSet })
      defer { stops.set() }
      try history.awaitMore(Self.commands * queueCount, of: \.completionCount)
      disk.holdAll()
      if !setting.isBuffered { try disk.awaitHeld(Self.left) }
      stops.set()
      _ = try wait()
    }

    // The write cache is turned off and on while commands are in flight.
    var host = try connect()
    var running = try loads(host)
    try run(running) {
      for _ in 0..<3 {
        try host.requireSuccess(host.setFeature(.volatileWriteCache, 0))
        history.turnCacheOff(position: disk.position)
        try history.awaitMore(Self.writtenThrough, of: \.writtenThroughCount)
        history.turnCacheOn()
        try host.requireSuccess(host.setFeature(.volatileWriteCache, 1))
      }
    }
    #expect(history.writtenThroughCount >= 3 * Self.writtenThrough)
    if setting.failsSyncs {
      disk.failSyncs(.inputOutput)
      try run(running)
    }

    // The guest shuts down in order, and that alone makes the last writes durable.
    try run(running, asks: false)
    let shutDown = history.beginFlush()
    if setting.failsSyncs {
      // It does not say that it is complete.
      let error = #expect(throws: HostError.self) { try host.shutdown() }
      if case .controllerFailed = error {} else { Issue.record("\(String(describing: error))") }
    } else {
      try host.shutdown()
      history.endFlush(shutDown, position: disk.position)
    }
    try host.disable()
    // It is reset with commands in flight.
    try host.initialize(queues: queueCount)
    running = try loads(host)
    try interrupt(running)
    var configuration = try host.configuration()
    configuration.enable = false
    try host.write(configuration)
    if !setting.isBuffered { #expect(try host.status().ready, "what the disk has is awaited") }
    disk.letGo()
    try host.disable()
    try host.initialize(queues: queueCount)
    running = try loads(host)
    // The monitor goes with commands in flight; the next one's wait for their end.
    try interrupt(running)
    host.disconnect()
    disk.letGo()
    host = try connect()
    running = try loads(host)
    try run(running)
    // The daemon is told to end: likewise.
    try run(running, asks: false)
    let end = history.beginFlush()
    kill(daemon.pid, SIGTERM)
    let status = try daemon.awaitEnd()
    if !setting.failsSyncs {
      #expect(status == .exit(0))
      history.endFlush(end, position: disk.position)
    }

    let cuts = PowerCuts(disk.events, history, blockByteCount: setting.block)
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
