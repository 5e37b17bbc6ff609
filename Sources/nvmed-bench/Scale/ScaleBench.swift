import ArgumentParser
import Benchmarking
import Glibc
import LinuxIO
import NVMeHost

/// `nvmed-bench scale`: what a daemon with so many controllers, each with a client, takes and does.
struct ScaleBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scale",
    abstract: "Starts a daemon with some controllers, attaches a client to each, and prints what it costs.",
    discussion: """
      In order: how long it takes from the start of the process until every socket accepts, and until the first command \
      of the first client has completed; memory, threads and descriptors, when all clients are attached, have their \
      queues and have sent --traffic commands; CPU time and switches of context in --idle seconds in which nobody asks \
      for anything; commands in --active seconds in which one thread sends one to each controller and waits for all of \
      them, again and again. Prints one line of JSON.
      """)

  @Option(help: "The daemon: the path of nvmed.")
  var nvmed: String

  @Option(help: "Controllers, 1 to 256.")
  var controllers = 1

  @Option(help: "Queue pairs of each, 1 to 64.")
  var queues = 1

  @Option(help: "Namespaces: file (images without data), null or memory.")
  var backend: FleetBackend = .file

  @Option(help: "How doorbells are rung: slots; or page, for a daemon that polls.")
  var doorbells: DoorbellChoice = .slots

  @Option(help: "I/O threads of the daemon.")
  var ioThreads = 1

  @Option(help: "Commands to each controller before it is idle.")
  var traffic = 1

  @Option(help: "How long nobody asks for anything, in seconds; 0: not at all.")
  var idle = 1.0

  @Option(help: "How long there are commands, in seconds; 0: not at all.")
  var active = 1.0

  @Option(help: "Where the sockets and images are made.")
  var folder = "/var/tmp"

  func validate() throws {
    guard (1...256).contains(controllers) else { throw ValidationError("--controllers: write 1 to 256") }
    guard (1...64).contains(queues) else { throw ValidationError("--queues: write 1 to 64") }
    guard (1...64).contains(ioThreads) else { throw ValidationError("--io-threads: write 1 to 64") }
    guard (0...1_000_000).contains(traffic) else { throw ValidationError("--traffic: write 0 to 1000000") }
    guard idle >= 0, idle <= 3600, active >= 0, active <= 3600 else {
      throw ValidationError("--idle and --active: write 0 to 3600")
    }
    guard doorbells == .slots || doorbells == .page else { throw ValidationError("--doorbells: write slots or page") }
  }

  func run() throws {
    do {
      let fields = try measure().map { "\"\($0.name)\":\(decimal($0.value, $0.decimals))" }
      print("{\(fields.joined(separator: ","))}")
    } catch let error as HostError {
      throw BenchFailure(error, socket: nvmed)
    }
  }

  private typealias Value = (name: String, value: Double, decimals: Int)

  private func measure() throws -> [Value] {
    raiseOpenFiles()
    let place = try FleetFolder(in: folder)
    let sockets = (0..<controllers).map { place.path("\($0).sock") }
    let daemon = try FleetDaemon(
      nvmed, ["serve", "--config", try configuration(place), "--io-threads", "\(ioThreads)"], folder: place)
    var connections = FixedTable<FileDescriptor?>(count: controllers) { _ in nil }
    for (index, socket) in sockets.enumerated() { connections[index] = try daemon.connect(socket) }
    var values: [Value] = [("ready_ms", milliseconds(since: daemon.start), 3)]

    var fleet = Fleet(count: controllers)
    for index in 0..<controllers {
      guard let connection = connections[index].take() else { continue }
      try fleet.attach(index, connection, queues: queues, doorbells.mechanism)
      if index == 0 {
        try fleet.execute(index)
        values.append(("first_command_ms", milliseconds(since: daemon.start), 3))
      }
    }
    for _ in 0..<traffic { try fleet.round() }
    // A daemon that polls never does.
    if doorbells != .page { try daemon.settle() }
    let footprint = try ProcessFootprint(process: daemon.process)
    values += [
      ("rss_bytes", Double(footprint.residentBytes), 0), ("pss_bytes", Double(footprint.proportionalBytes), 0),
      ("anonymous_bytes", Double(footprint.anonymousBytes), 0), ("threads", Double(footprint.threads), 0),
      ("descriptors", Double(footprint.descriptors), 0),
    ]
    if idle > 0 {
      let before = try ProcessUsage(process: daemon.process)
      try pause(seconds: idle)
      let after = try ProcessUsage(process: daemon.process)
      values += [
        ("seconds", idle, 1), ("idle_wakeups", Double(after.switches - before.switches), 0),
        ("idle_cpu_ns", Double(after.cpuTime - before.cpuTime), 0),
      ]
    }
    if active > 0 {
      var meter = try DaemonMeter(process: daemon.process, countsCalls: false)
      let begin = Clock.monotonic
      let end = begin + UInt64(active * 1e9)
      var commands: UInt64 = 0
      try meter.begin()
      while Clock.monotonic < end {
        try fleet.round()
        commands += UInt64(controllers)
      }
      let usage = try meter.end()
      values += [
        ("iops", Double(commands) / (Double(Clock.monotonic - begin) / 1e9), 0),
        ("cpu_ns", Double(usage.cpuTime) / Double(commands), 0),
        ("switches", Double(usage.switches) / Double(commands), 4),
      ]
    }
    fleet.detach()
    try daemon.terminate()
    return values
  }

  /// The path of a configuration of all controllers.
  private func configuration(_ place: FleetFolder) throws -> String {
    var text = ""
    for index in 0..<controllers {
      text += """
        [[controller]]
        name = "disk\(index)"
        socket = "\(index).sock"
        doorbells = "\(doorbells == .page ? "poll" : "ioeventfd")"
        [[controller.namespace]]

        """
      switch backend {
      case .file:
        try place.makeImage("\(index).img", byteCount: 64 << 20)
        text += "image = \"\(index).img\"\n"
      case .null, .memory: text += "backend = \"\(backend)\"\nsize = \"64MiB\"\n"
      }
    }
    return try place.write(text, to: "nvmed.toml")
  }

  private func milliseconds(since start: UInt64) -> Double { Double(Clock.monotonic - start) / 1e6 }

  /// Waits on what never comes.
  private func pause(seconds: Double) throws(Errno) { try EventFD().wait(timeout: Int32(seconds * 1000)) }

  /// Each client takes some descriptors.
  private func raiseOpenFiles() {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}

/// What namespaces of a fleet are made of.
enum FleetBackend: String, ExpressibleByArgument, CaseIterable {
  case file, null, memory
}
