import ArgumentParser
import Console
import Control
import Daemon
import Glibc
import LinuxIO

/// `nvmed top`: what controllers do, as it happens.
struct TopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "Shows what controllers do, as it happens.",
    discussion: """
      IOPS, MB/s of 1,000,000 bytes, the mean and the 99th percentile of latencies, commands in flight on average, the way
      that doorbells come, and CPU: of the controller's own thread and its share of the I/O threads by its commands.
      Keys: q quits, n i b l d c sort by name, IOPS, bandwidth, latency, depth or CPU. Exit status as of nvmed ctl.

        nvmed top
        nvmed top --once --interval 5
        nvmed top --once --json
      """)

  @Option(name: .long, help: ArgumentHelp("Seconds between looks, 0.1 to 60.", valueName: "seconds"))
  var interval = 1.0

  @Flag(name: .long, help: "Print what was done in one interval, and end.")
  var once = false

  @Option(name: .long, help: "Sort by name, iops, bandwidth, latency, depth or cpu.")
  var sort = "name"

  @OptionGroup var control: ControlOptions

  func validate() throws {
    guard (0.1...60).contains(interval) else { throw ValidationError("--interval: write 0.1 to 60, not \(interval)") }
    guard TopOrder(rawValue: sort) != nil else {
      throw ValidationError("--sort: write name, iops, bandwidth, latency, depth or cpu, not '\(sort)'")
    }
    guard once || !control.json else { throw ValidationError("--json goes with --once") }
    guard once || isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 else {
      throw ValidationError("nvmed top needs a terminal; use --once without one")
    }
  }

  func run() throws {
    do throws(ControlClientError) {
      var client = try ControlClient(path: control.path, patience: 10)
      if once { try showOnce(&client) } else { try showLive(&client) }
    } catch { throw ControlOptions.exit(error) }
  }

  private func showOnce(_ client: inout ControlClient) throws(ControlClientError) {
    let before = try client.call("daemon.status", returning: DaemonStatus.self)
    _ = poll(nil, 0, Int32(interval * 1000))
    let report = LoadReport(from: before, to: try client.call("daemon.status"))
    if control.json { return print(ControlOptions.text(report)) }
    var screen = TopScreen()
    screen.width = outputWidth
    screen.order = TopOrder(rawValue: sort) ?? .name
    screen.time = TimeOfDay.now
    for line in screen.lines(report) { print(line) }
  }

  private func showLive(_ client: inout ControlClient) throws(ControlClientError) {
    var before = try client.call("daemon.status", returning: DaemonStatus.self)
    let terminal: TerminalScreen
    do throws(Errno) { terminal = try TerminalScreen() } catch {
      throw .broken("the terminal cannot be used: \(error)")
    }
    var screen = TopScreen()
    screen.order = TopOrder(rawValue: sort) ?? .name
    screen.showsKeys = true
    var report = LoadReport(from: before, to: before)
    let step = UInt64(interval * 1e9)
    var next = Clock.monotonic + min(step, 200_000_000)
    while true {
      (screen.width, screen.height) = (terminal.size.columns, terminal.size.lines)
      screen.time = TimeOfDay.now
      terminal.show(screen.lines(report))
      let now = Clock.monotonic
      switch terminal.wait(milliseconds: now < next ? Int32((next - now + 999_999) / 1_000_000) : 0) {
      case .end, .key("q"), .key("Q"): return
      case .key(let key):
        if let order = TopOrder.allCases.first(where: { $0.key == key }) { screen.order = order }
      case .redraw: break
      case .nothing:
        let status = try client.call("daemon.status", returning: DaemonStatus.self)
        report = LoadReport(from: before, to: status)
        before = status
        next = Clock.monotonic + step
      }
    }
  }
}

/// The time of day.
enum TimeOfDay {
  /// As in "08:15:30".
  static var now: String {
    let time = CalendarTime(local: Clock.realtime)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(time.hour)):\(two(time.minute)):\(two(time.second))"
  }
}
