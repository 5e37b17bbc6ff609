import Daemon

/// What the daemon as a whole says of itself, for people.
public enum DaemonTables {
  /// `daemon.status`.
  public static func status(_ status: DaemonStatus, width: Int = 80) -> [String] {
    var lines = [
      "nvmed \(status.version), process \(status.processID), up \(Quantity.duration(nanoseconds: status.uptime)), "
        + "log level \(status.logLevel.rawValue)", "",
    ]
    var controllers = TextTable([
      .text("CONTROLLER"), .text("STATE"), .number("CLIENT"), .number("NS"), .number("QUEUES"), .number("IN FLIGHT"),
      .text("DOORBELL"), .text("SOCKET", isFlexible: true),
    ])
    for controller in status.controllers {
      controllers.add([
        controller.name, controller.state.rawValue, controller.client?.processID.map { "\($0)" } ?? "-",
        "\(controller.namespaces.count)", "\(ControllerTables.ioQueueCount(controller))",
        "\(controller.statistics.inFlight)", controller.doorbells.path.rawValue,
        controller.socketPath ?? "(handed over)",
      ])
    }
    lines += controllers.isEmpty ? ["no controllers"] : controllers.lines(width: width)
    var threads = TextTable([.text("I/O THREAD"), .number("CPU"), .number("CPU TIME")])
    for thread in status.ioThreads {
      threads.add([
        thread.name, thread.cpu.map { "\($0)" } ?? "any", Quantity.duration(nanoseconds: thread.cpuTime),
      ])
    }
    return lines + [""] + threads.lines(width: width)
  }

  /// `controller.list`.
  public static func controllers(_ controllers: [ControllerSummary], width: Int = 80) -> [String] {
    var table = TextTable([.text("CONTROLLER"), .text("STATE"), .number("NS"), .text("SOCKET", isFlexible: true)])
    for controller in controllers {
      table.add([
        controller.name, controller.state.rawValue, "\(controller.namespaces)", controller.socket ?? "(handed over)",
      ])
    }
    return table.isEmpty ? ["no controllers"] : table.lines(width: width)
  }

  /// `config.reload`.
  public static func reload(_ report: ReloadReport) -> [String] {
    report.isEmpty ? ["nothing has changed"] : report.lines
  }
}
