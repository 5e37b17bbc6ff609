import ArgumentParser
import Console
import Control
import Daemon

/// `nvmed ctl`: asks a daemon that runs, over its control socket.
struct ControlCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ctl",
    abstract: "Shows and changes what a running daemon serves.",
    discussion: """
      The daemon listens where control_socket in its configuration or --control-socket of nvmed serve says:

        nvmed ctl status
        nvmed ctl controller add vm2 --socket-path /run/vm2.sock --image /srv/vm2.img
        nvmed ctl namespace add vm2 --image /srv/data.img
        nvmed ctl namespace resize vm2 2
        nvmed ctl controller set-limits vm2 --set iops_limit=5000
        nvmed ctl errors vm2
        nvmed ctl reload

      Exit status: 0 done, 1 the daemon refuses and says why, 2 the daemon cannot be reached, 64 wrong usage.
      Every command is a method of the JSON-RPC 2.0 interface that docs/control.md describes.
      """,
    subcommands: [
      StatusCommand.self, ControllerCommand.self, NamespaceCommand.self, QueuesCommand.self, DMACommand.self,
      ErrorsCommand.self, LogLevelCommand.self, ReloadCommand.self, ConfigCommand.self, StopCommand.self,
      MethodsCommand.self, CallCommand.self,
    ])
}

/// `nvmed ctl status`.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Tells what the daemon and its controllers are doing.")

  @OptionGroup var control: ControlOptions

  func run() throws {
    try control.run("daemon.status") { (status: DaemonStatus) in DaemonTables.status(status, width: outputWidth) }
  }
}

/// `nvmed ctl queues`.
struct QueuesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "queues", abstract: "Lists the queues of a controller.")

  @Argument(help: "The controller's name.") var controller: String
  @OptionGroup var control: ControlOptions

  func run() throws {
    try control.run("queue.list", ["controller": .string(controller)]) { (queues: [QueueStatus]) in
      ControllerTables.queues(queues, width: outputWidth)
    }
  }
}

/// `nvmed ctl dma`.
struct DMACommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dma", abstract: "Lists the guest memory that a controller's client has mapped.")

  @Argument(help: "The controller's name.") var controller: String
  @OptionGroup var control: ControlOptions

  func run() throws {
    try control.run("dma.map", ["controller": .string(controller)]) { (map: DMAMapStatus) in ControllerTables.dma(map) }
  }
}

/// `nvmed ctl errors`.
struct ErrorsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "errors", abstract: "Lists the last commands of a controller's guest that failed, the newest first.")

  @Argument(help: "The controller's name.") var controller: String
  @OptionGroup var control: ControlOptions

  func run() throws {
    try control.run("errors.list", ["controller": .string(controller)]) { (entries: [ErrorLogEntryStatus]) in
      ControllerTables.errors(entries, width: outputWidth)
    }
  }
}

/// `nvmed ctl log-level`.
struct LogLevelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log-level", abstract: "Changes the least important messages that the daemon logs.")

  @Argument(help: "trace, debug, info, notice, warning or error.") var level: String
  @OptionGroup var control: ControlOptions

  func run() throws {
    try control.run("log.set_level", ["level": .string(level)]) { (result: LogLevelResult) in
      ["log level \(result.level.rawValue)"]
    }
  }
}

/// `nvmed ctl reload`.
struct ReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Has the daemon read its configuration file again.",
    discussion: """
      Controllers and namespaces that are new in the file are added, those that are gone are removed; sizes, rate limits
      and the log level change. Where the file has anything else that is different, nothing changes at all, and every
      reason is printed. Guests whose disks stay are not disturbed.
      """)

  @OptionGroup var control: ControlOptions

  func run() throws {
    try control.run("config.reload") { (report: ReloadReport) in DaemonTables.reload(report) }
  }
}

/// `nvmed ctl config`.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Prints what is served now as a configuration file.")

  @OptionGroup var control: ControlOptions

  func run() throws {
    try control.run("config.show") { (result: ConfigurationResult) in
      result.toml.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
  }
}

/// `nvmed ctl stop`.
struct StopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Ends the daemon; what is in flight is completed.")

  @OptionGroup var control: ControlOptions

  func run() throws {
    try control.run("daemon.stop") { (_: NoResult) in [] }
  }
}

/// `nvmed ctl methods`.
struct MethodsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "methods", abstract: "Describes the methods of the daemon's JSON-RPC interface.")

  @OptionGroup var control: ControlOptions

  func run() throws {
    try control.run("rpc.methods") { (methods: JSONValue) in MethodTables.methods(methods, width: outputWidth) }
  }
}

/// `nvmed ctl call`.
struct CallCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call", abstract: "Calls a method by its name and prints its result as JSON.")

  @Argument(help: "The method, such as controller.status.") var method: String
  @Argument(help: "Its parameters as a JSON object.") var parameters = "{}"
  @OptionGroup var control: ControlOptions

  func run() throws {
    let value = try JSONValue(text: parameters) ?? { throw ValidationError("'\(parameters)' is no JSON object") }()
    try control.run(method, value) { (result: JSONValue) in [ControlOptions.text(result)] }
  }
}
