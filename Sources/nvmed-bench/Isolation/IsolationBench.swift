import ArgumentParser
import Benchmarking
import LinuxIO
import NVMeHost
import NVMeSpec

/// `nvmed-bench isolation`: what one guest can do to the latency of another.
struct IsolationBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "isolation",
    abstract: "Measures one guest's latency alone and next to another that attacks the daemon in some way.",
    discussion: """
      Starts a daemon with controllers for a guest that reads 4 KiB at random and for one that attacks, each on an image \
      or a memory of its own, with one I/O thread for both or one for each. For every attack the reads are measured \
      alone, and then during the attack. Prints one line of JSON for each attack and depth. It says nothing on a machine \
      with fewer CPUs than the threads that want one: there the attacker takes CPU time from the other guest itself.
      """)

  @Option(help: "The daemon: the path of nvmed.")
  var nvmed: String

  @Option(help: "Namespaces: file (with data in it) or memory.")
  var backend: FleetBackend = .memory

  @Flag(help: "Each of the two controllers has an I/O thread of its own.")
  var ownThreads = false

  @Option(parsing: .upToNextOption, help: "Attacks; all of them if not given.")
  var attacks: [Attack] = Attack.allCases

  @Option(parsing: .upToNextOption, help: "Reads in flight.")
  var depths = [1]

  @Option(help: "How long each measurement takes, in seconds.")
  var seconds = 1.0

  @Option(help: "Where the sockets and images are made.")
  var folder = "/var/tmp"

  func validate() throws {
    guard seconds > 0, seconds <= 3600 else { throw ValidationError("--seconds: write more than 0, at most 3600") }
    guard depths.allSatisfy({ (1...128).contains($0) }) else { throw ValidationError("--depths: write 1 to 128") }
    guard backend != .null else { throw ValidationError("--backend: write file or memory") }
  }

  private static let imageByteCount = 64 << 20

  func run() throws {
    do {
      let place = try FleetFolder(in: folder)
      let daemon = try FleetDaemon(nvmed, ["serve", "--config", try configuration(place)], folder: place)
      for name in ["victim", "attacker", "limited"] { _ = try daemon.connect(place.path("\(name).sock")) }
      for name in ["victim", "attacker", "limited"] { try fill(place.path("\(name).sock")) }
      for attack in attacks {
        for depth in depths { print(try measure(attack, depth, place)) }
      }
      try daemon.terminate()
    } catch let error as HostError {
      throw BenchFailure(error, socket: nvmed)
    }
  }

  private func configuration(_ place: FleetFolder) throws -> String {
    var text = "[daemon]\nio_threads = \(ownThreads ? 2 : 1)\nlog_level = \"info\"\n"
    for name in ["victim", "attacker", "limited"] {
      text += "[[controller]]\nname = \"\(name)\"\nsocket = \"\(name).sock\"\npost_write = \"kernel\"\n"
      text += "io_thread = \(ownThreads && name != "victim" ? 1 : 0)\n"
      if name == "limited" { text += "iops_limit = 1000\n" }
      text += "[[controller.namespace]]\n"
      if backend == .file {
        try place.makeImage("\(name).img", byteCount: IsolationBench.imageByteCount)
        text += "image = \"\(name).img\"\n"
      } else {
        text += "backend = \"memory\"\nsize = \"\(IsolationBench.imageByteCount)B\"\n"
      }
    }
    return try place.write(text, to: "nvmed.toml")
  }

  /// Gives every block data: holes, and memory that was never written, cost something else.
  private func fill(_ socket: String) throws {
    let host = try HostController(path: socket, memory: try HostMemory(byteCount: 1 << 20))
    try host.initialize()
    var queue = try host.createQueue(1, depth: 16)
    let data = try host.memory.allocate(256 << 10)
    data.fill(0xA5)
    for slba in stride(from: 0, to: IsolationBench.imageByteCount / 512, by: data.count / 512) {
      let completion = try queue.write(slba: UInt64(slba), blocks: data.count / 512, from: data)
      guard completion.status.isSuccess else { throw HostError.failed(completion.status) }
    }
    try host.shutdown()
    host.disconnect()
  }

  /// Reads alone, and then during the attack.
  private func measure(_ attack: Attack, _ depth: Int, _ place: FleetFolder) throws -> String {
    let alone = try read(depth, place)
    let socket = place.path(attack == .limited ? "limited.sock" : "attacker.sock")
    let attacker = try Attacker(attack, socket: socket)
    let before = (count: attacker.count, time: Clock.monotonic)
    let attacked: Load
    do { attacked = try read(depth, place) } catch {
      try attacker.stop()
      throw error
    }
    let rate = Double(attacker.count - before.count) / (Double(Clock.monotonic - before.time) / 1e9)
    try attacker.stop()
    var fields = ["\"attack\":\"\(attack)\"", "\"depth\":\(depth)", "\"attacks_per_second\":\(decimal(rate, 0))"]
    for (name, load) in [("alone", alone), ("attacked", attacked)] {
      fields.append("\"\(name)_iops\":\(decimal(Double(load.latencies.totalCount) / (Double(load.duration) / 1e9), 0))")
      for (percentile, value) in IsolationBench.percentiles {
        fields.append("\"\(name)_\(percentile)_ns\":\(load.latencies.valueAtPercentile(value))")
      }
    }
    for (percentile, value) in IsolationBench.percentiles {
      let factor =
        Double(attacked.latencies.valueAtPercentile(value)) / Double(max(alone.latencies.valueAtPercentile(value), 1))
      fields.append("\"\(percentile)_factor\":\(decimal(factor, 3))")
    }
    return "{\(fields.joined(separator: ","))}"
  }

  private static let percentiles: [(name: String, value: Double)] = [("p50", 50), ("p99", 99), ("p999", 99.9)]

  private func read(_ depth: Int, _ place: FleetFolder) throws -> Load {
    let memory = try HostMemory(byteCount: (1 << 20) + depth * 8192)
    let host = try HostController(
      path: place.path("victim.sock"), memory: memory, options: HostOptions(doorbells: .slots, vectors: 2))
    try host.initialize()
    let queue = try host.createQueue(
      completionQueue: 1, completionQueueSize: 256, submissionQueues: [1], submissionQueueSize: 256, vector: 1,
      commands: depth)
    let plan = LoadPlan(
      pattern: .randread, nsid: 1, blocks: 8, places: UInt64(IsolationBench.imageByteCount / 4096), byteCount: 4096,
      warmup: 100_000_000, duration: UInt64(seconds * 1e9))
    var generator = try LoadGenerator(queue, plan: plan, depth: depth, memory: memory, seed: Clock.monotonic)
    let load = try generator.run()
    try host.shutdown()
    host.disconnect()
    return load
  }
}
