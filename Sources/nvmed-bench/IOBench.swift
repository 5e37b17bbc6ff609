import ArgumentParser
import LinuxIO
import NVMeHost

/// `nvmed-bench io`: reads or writes at a queue depth for some seconds.
struct IOBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "io",
    abstract: "Reads or writes at a queue depth, and prints IOPS and latencies.",
    discussion: """
      It is the guest and the VMM in one. With --doorbells slots it does KVM's part: a store into the slot, then the \
      eventfd. Each queue has a thread of its own. Writes destroy what the namespace holds.
      """)

  @Option(help: "Path of the vfio-user socket.")
  var socket: String

  @Flag(help: "What is done; the default is --randread.")
  var pattern: IOPattern = .randread

  @Option(help: "Bytes of a command, a multiple of the logical block.")
  var bs = 4096

  @Option(help: "Commands in flight on each queue, 1 to 65535.")
  var qd = 32

  @Option(help: "Queue pairs, 1 to 1024; each has a thread.")
  var queues = 1

  @Option(help: "How long is measured.")
  var seconds = 5.0

  @Option(help: "How long the load runs before it is measured, in seconds.")
  var warmup = 0.5

  @Option(
    help: "How doorbells are rung: slots, socket, posted (socket without a reply), eventfds (without values) or page.")
  var doorbells: DoorbellChoice = .slots

  @Flag(help: "Keep doorbells in memory and ring only where the controller asks for it (Doorbell Buffer Config).")
  var shadowDoorbells = false

  @Flag(help: "How completions are noticed; the default is --interrupt.")
  var completion: CompletionChoice = .interrupt

  @Option(help: "Entries of each queue; the default is the least power of two above --qd, 256 at least.")
  var queueSize: Int?

  @Option(help: "Namespace identifier.")
  var nsid: UInt32 = 1

  @Option(help: "Bytes from the start of the namespace that are used; the default is all.")
  var regionSize: UInt64?

  @Option(help: "CPU that a queue's thread runs on; repeat it for more queues.")
  var cpu: [Int32] = []

  @Option(help: "Process that serves the socket: what it uses for a command is measured too.")
  var daemon: Int32?

  @Flag(help: "With --daemon: count its system calls by eBPF, which makes each of them some ns slower; as root.")
  var countCalls = false

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard (1...65_535).contains(qd) else { throw ValidationError("--qd: write 1 to 65535") }
    guard (1...1024).contains(queues) else { throw ValidationError("--queues: write 1 to 1024") }
    guard bs >= 512, bs <= 16 << 20 else { throw ValidationError("--bs: write 512 to 16777216") }
    if doorbells == .eventfds, !shadowDoorbells {
      throw ValidationError("--doorbells eventfds: rings without values; give --shadow-doorbells too")
    }
    guard seconds > 0, seconds <= 86_400, warmup >= 0, warmup <= 3600 else {
      throw ValidationError("--seconds and --warmup: write more than 0, at most 86400 and 3600")
    }
    guard daemon != nil || !countCalls else { throw ValidationError("--count-calls: give --daemon too") }
    if let queueSize, !(qd + 1...65_536).contains(queueSize) {
      throw ValidationError("--queue-size: write more than --qd, at most 65536")
    }
  }

  func run() throws {
    do {
      let report = try measure()
      print(json ? report.json : report.text)
    } catch let error as HostError {
      throw BenchFailure(error, socket: socket)
    }
  }

  /// The entries wished for.
  private var entries: Int {
    if let queueSize { return queueSize }
    var size = 256
    while size <= qd { size *= 2 }
    return min(size, 65_536)
  }

  private func measure() throws -> IOReport {
    // Data, a page of PRP list for each command, both rings, and room for the admin queue.
    let pages = { (bytes: Int) in (bytes + HostMemory.pageSize - 1) / HostMemory.pageSize * HostMemory.pageSize }
    let perQueue = qd * (pages(bs) + pages(bs / 512 + 16)) + pages(entries * 64) + pages(entries * 16)
    let memory = try HostMemory(byteCount: queues * perQueue + (1 << 20))
    var options = HostOptions(
      doorbells: doorbells.mechanism, vectors: completion == .interrupt ? queues + 1 : 0)
    options.shadowDoorbells = shadowDoorbells
    let controller = try HostController(path: socket, memory: memory, options: options)
    try controller.initialize(queues: queues)
    let entries = min(entries, Int(controller.capabilities.maximumQueueEntriesSupported) + 1)
    guard qd < entries else {
      throw HostError.invalidArgument("--qd: the controller has queues of \(entries) entries")
    }
    let namespace = try controller.namespace(nsid)
    let plan = try plan(for: namespace)
    guard bs <= controller.maximumTransferByteCount ?? .max else {
      throw HostError.invalidArgument("--bs is more than the controller takes in one command")
    }

    var handovers: [Handover] = []
    let seed = Clock.monotonic
    for index in 0..<queues {
      let identifier = UInt16(truncatingIfNeeded: index + 1)
      let queue = try controller.createQueue(
        completionQueue: identifier, completionQueueSize: entries, submissionQueues: [identifier],
        submissionQueueSize: entries, vector: completion == .interrupt ? identifier : nil, commands: qd)
      handovers.append(
        Handover(try LoadGenerator(queue, plan: plan, depth: qd, memory: memory, seed: UInt64(index) + seed)))
    }
    var meter = try daemon.map { try DaemonMeter(process: $0, countsCalls: countCalls) }
    try meter?.begin()
    let load = try run(handovers)
    let usage = try meter?.end()
    try controller.shutdown()
    return IOReport(bench: self, load: load, daemon: usage)
  }

  /// Runs all of them, each on a thread of its own.
  private func run(_ handovers: [Handover]) throws -> Load {
    let results = ThreadResults()
    var threads: [Thread] = []
    for (index, handover) in handovers.enumerated() {
      let cpus = cpu.isEmpty ? [] : [cpu[index % cpu.count]]
      do throws(Errno) {
        threads.append(try Thread(name: "queue \(index + 1)", cpus: cpus) { results.add(handover.run()) })
      } catch {
        throw HostError.system(error)
      }
    }
    for thread in threads { thread.join() }
    return try results.total()
  }

  private func plan(for namespace: HostNamespace) throws(HostError) -> LoadPlan {
    guard bs % namespace.blockByteCount == 0, bs / namespace.blockByteCount <= 65_536 else {
      throw .invalidArgument("--bs is not a multiple of \(namespace.blockByteCount) up to 65536 of them")
    }
    let blocks = bs / namespace.blockByteCount
    let available = namespace.blockCount / UInt64(blocks)
    let wanted = regionSize.map { $0 / UInt64(bs) } ?? available
    guard wanted > 0, wanted <= available else {
      throw .invalidArgument("the namespace has \(available) places of \(bs) bytes")
    }
    return LoadPlan(
      pattern: pattern, nsid: nsid, blocks: blocks, places: wanted, byteCount: bs,
      warmup: UInt64(warmup * 1e9), duration: UInt64(seconds * 1e9))
  }
}
