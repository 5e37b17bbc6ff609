import Daemon

/// What controllers are sorted by in `nvmed top`.
public enum TopOrder: String, CaseIterable, Sendable {
  case name
  case iops
  case bandwidth
  case latency
  case depth
  case cpu

  /// The key that chooses it.
  public var key: Character {
    switch self {
    case .name: "n"
    case .iops: "i"
    case .bandwidth: "b"
    case .latency: "l"
    case .depth: "d"
    case .cpu: "c"
    }
  }

  /// Whether the first comes before the second: the greater value, or the lesser name.
  func precedes(_ first: LoadReport.Controller, _ second: LoadReport.Controller) -> Bool {
    let (left, right) = (value(first), value(second))
    return left == right ? first.name < second.name : left > right
  }

  private func value(_ controller: LoadReport.Controller) -> Double {
    switch self {
    case .name: 0
    case .iops: controller.commandsPerSecond
    case .bandwidth: controller.readBytesPerSecond + controller.writtenBytesPerSecond
    case .latency: Double(controller.p99Latency)
    case .depth: controller.queueDepth
    case .cpu: controller.cpu
    }
  }
}

/// The screen of `nvmed top`, as lines of text.
public struct TopScreen: Sendable {
  /// Columns of the terminal; below 40 lines are cut.
  public var width = 80
  /// Lines of the terminal; nil: as many as there are controllers.
  public var height: Int?
  /// What controllers are sorted by.
  public var order = TopOrder.name
  /// The time of day to show, as in "08:15:30".
  public var time = ""
  /// Whether the keys are explained in the last line.
  public var showsKeys = false

  /// A screen of 80 columns and any number of lines.
  public init() {}

  private static let columns: [(title: String, width: Int)] = [
    ("READ", 6), ("WRITE", 6), ("READ", 7), ("WRITE", 6), ("MEAN", 7), ("P99", 6), ("DEPTH", 6),
  ]
  /// Columns that are not the name's.
  private static let fixedWidth = columns.reduce(0) { $0 + $1.width } + 2 + 8 + 1 + 4

  /// The lines of a report, none wider than the terminal.
  public func lines(_ report: LoadReport) -> [String] {
    let nameWidth = max(width - TopScreen.fixedWidth, 6)
    var lines = summary(report) + [""] + headings(nameWidth)
    var rows = report.controllers.sorted(by: order.precedes).map { row($0, nameWidth) }
    if let height {
      let room = max(height - lines.count - (showsKeys ? 2 : 0), 1)
      if rows.count > room { rows = rows.prefix(room - 1) + ["and \(rows.count - room + 1) more"] }
      rows += Array(repeating: "", count: room - rows.count)
    }
    lines += rows
    if showsKeys { lines += ["", keys] }
    return lines.map { Terminal.start(of: Terminal.trimmed($0), columns: width) }
  }

  private func summary(_ report: LoadReport) -> [String] {
    let states = ControllerStatus.State.allCases.compactMap { state -> String? in
      let count = report.controllers.count { $0.state == state }
      return count > 0 ? "\(count) \(state.rawValue)" : nil
    }
    let count = report.controllers.count
    let left = "nvmed \(report.version), up \(Quantity.duration(nanoseconds: report.uptime))"
    let controllers = "\(count) \(count == 1 ? "controller" : "controllers")"
    let threads = report.ioThreads.map { Quantity.percent($0.cpu) }.joined(separator: " ")
    return [
      justified(left, time),
      justified(
        count == 0 ? controllers : "\(controllers): \(states.joined(separator: ", "))",
        "CPU of I/O threads: \(threads)"),
    ]
  }

  private func headings(_ nameWidth: Int) -> [String] {
    let groups = Terminal.padded("", nameWidth) + right("IOPS", 12) + right("MB/s", 13) + right("LATENCY", 13)
    let titles = TopScreen.columns.map { right($0.title, $0.width) }.joined()
    return [groups + right("QUEUE", 6), Terminal.padded("NAME", nameWidth) + titles + "  DOORBELL  CPU"]
  }

  private func row(_ controller: LoadReport.Controller, _ nameWidth: Int) -> String {
    let name = Terminal.padded(Terminal.start(of: Terminal.plain(controller.name), columns: nameWidth), nameWidth)
    guard controller.commandsPerSecond > 0 || controller.state == .ready else {
      return name + "  " + controller.state.rawValue
    }
    let cells = [
      Quantity.rate(controller.readsPerSecond), Quantity.rate(controller.writesPerSecond),
      Quantity.megabytes(controller.readBytesPerSecond), Quantity.megabytes(controller.writtenBytesPerSecond),
      Quantity.time(nanoseconds: controller.meanLatency), Quantity.time(nanoseconds: controller.p99Latency),
      Quantity.rate(controller.queueDepth),
    ]
    return name + zip(cells, TopScreen.columns).map { right($0, $1.width) }.joined() + "  "
      + Terminal.padded(controller.doorbells.rawValue, 8) + " " + right(Quantity.percent(controller.cpu), 4)
  }

  private var keys: String {
    let orders = TopOrder.allCases.map { order in
      order == self.order ? "[\(order.rawValue)]" : order.rawValue
    }
    return "q quit   sort by: " + orders.joined(separator: " ")
  }

  private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private func justified(_ left: String, _ right: String) -> String {
    left + String(repeating: " ", count: max(2, width - left.count - right.count)) + right
  }
}
