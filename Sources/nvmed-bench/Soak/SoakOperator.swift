import Control
import Glibc
import LinuxIO
import NVMeHost

/// Who changes the daemon while guests use it. Each thing is undone before the next. One thread at a time.
struct SoakOperator {
  private let daemon: SoakDaemon
  private let presences: [SoakPresence]
  private var random: XorShift
  /// ns from one reload of the configuration to the next, at least.
  private let reloadInterval: UInt64
  private var nextReload: UInt64 = 0
  /// How often it did what, by name.
  private(set) var events: [String: Int] = [:]

  init(_ daemon: SoakDaemon, _ presences: [SoakPresence], seed: UInt64, reloadInterval: Double) {
    self.daemon = daemon
    self.presences = presences
    random = XorShift(seed: seed)
    self.reloadInterval = UInt64(reloadInterval * 1e9)
  }

  /// Does something at random.
  mutating func act() throws {
    let controller = Int(random.next() % UInt64(daemon.controllers))
    if Clock.monotonic >= nextReload {
      nextReload = Clock.monotonic + reloadInterval
      return try reload()
    }
    switch random.next() % 12 {
    case 0, 1, 2:
      note("namespaces removed and added")
      presences[controller].goes()
      try daemon.removeNamespace(of: controller)
      wait()
      try daemon.addNamespace(to: controller)
      presences[controller].comes()
    case 3, 4:
      note("namespaces resized")
      try daemon.resize(controller, isGrown: true)
      wait()
      try daemon.resize(controller, isGrown: false)
    case 5, 6:
      note("limits changed")
      try daemon.change("controller.set_limits", controller, ["limits": .object(limits())])
      wait()
      try daemon.change("controller.set_limits", controller, ["limits": .object([:])])
    case 7:
      note("drains")
      try daemon.change("controller.drain", controller, [:])
    case 8:
      note("controllers added and removed")
      try daemon.useAnother()
    case 9:
      note("scrapes of metrics")
      _ = try daemon.scrape()
    case 10:
      note("log levels")
      try daemon.ask("log.set_level", ["level": .string(["warning", "error", "info"][Int(random.next() % 3)])])
    default:
      note("questions")
      try daemon.ask("daemon.status")
      for method in ["queue.list", "dma.map", "errors.list"] { try daemon.change(method, controller, [:]) }
      try daemon.ask("config.show")
    }
  }

  /// Some controllers are without a namespace in the configuration for a while.
  private mutating func reload() throws {
    note("reloads")
    let first = Int(random.next() % UInt64(daemon.controllers))
    // One at least: when a signal has had its effect is seen in what is served.
    let absent = Set((0..<daemon.controllers).filter { _ in random.next() % 2 == 0 } + [first])
    for controller in absent { presences[controller].goes() }
    try daemon.reload(without: absent, bySignal: random.next() % 2 == 0)
    wait()
    try daemon.reload(without: [], bySignal: random.next() % 2 == 0)
    for controller in absent { presences[controller].comes() }
  }

  private mutating func limits() -> [String: JSONValue] {
    let keys = ["iops_limit", "read_iops_limit", "write_iops_limit", "bandwidth_limit", "write_bandwidth_limit"]
    let key = keys[Int(random.next() % UInt64(keys.count))]
    let rate = Int64(random.next() % 10) + 1
    return [key: key.contains("iops") ? .integer(rate * 500) : .string("\(rate * 4)MiB/s")]
  }

  private mutating func note(_ event: String) { events[event, default: 0] += 1 }

  /// Some ms, at most 100.
  private mutating func wait() { usleep(UInt32(random.next() % 100_000)) }
}
