import ArgumentParser
import Console
import Control
import Daemon

/// `nvmed ctl controller`: controllers of a daemon that runs.
struct ControllerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "controller", abstract: "Lists and changes the controllers.",
    subcommands: [
      List.self, Status.self, Add.self, Attach.self, Remove.self, Drain.self, SetLimits.self,
    ])

  /// `nvmed ctl controller list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the controllers.")

    @OptionGroup var control: ControlOptions

    func run() throws {
      try control.run("controller.list") { (controllers: [ControllerSummary]) in
        DaemonTables.controllers(controllers, width: outputWidth)
      }
    }
  }

  /// `nvmed ctl controller status`.
  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Tells what a controller is doing.")

    @Argument(help: "The controller's name.") var name: String
    @OptionGroup var control: ControlOptions

    func run() throws {
      try control.run("controller.status", ["controller": .string(name)]) { (status: ControllerStatus) in
        ControllerTables.status(status, width: outputWidth)
      }
    }
  }

  /// What a controller to come has, in options.
  struct NewController: ParsableArguments {
    @Argument(help: "The controller's name.") var name: String
    @OptionGroup var namespace: NamespaceOptions
    @Option(name: .long, help: "Serial number, at most 20 characters (default: the name).")
    var serial: String?
    @Option(name: .long, help: ArgumentHelp("I/O queue pairs, 1 to 64.", valueName: "number"))
    var queues: Int?
    @OptionGroup var keys: KeyOptions

    /// The JSON object.
    func object(_ descriptors: inout [Int32]) throws -> [String: JSONValue] {
      var members: [String: JSONValue] = ["name": .string(name)]
      if namespace.isGiven { members["namespace"] = .array([.object(try namespace.members(&descriptors))]) }
      if let serial { members["serial"] = .string(serial) }
      if let queues { members["io_queues"] = .integer(Int64(queues)) }
      members.merge(try keys.members()) { _, set in set }
      return members
    }
  }

  /// `nvmed ctl controller add`.
  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Serves one more controller on a socket of its own.",
      discussion: "Without an image it has no namespace; nvmed ctl namespace add adds some.")

    @OptionGroup var controller: NewController
    @Option(name: .long, help: ArgumentHelp("The vfio-user socket to listen on.", valueName: "path"))
    var socketPath: String
    @OptionGroup var control: ControlOptions

    func run() throws {
      var descriptors: [Int32] = []
      var members = try controller.object(&descriptors)
      members["socket"] = .string(absolutePath(socketPath))
      try control.run("controller.add", ["controller": .object(members)], descriptors: descriptors) {
        (_: NoResult) in ["controller '\(controller.name)' is served on \(absolutePath(socketPath))"]
      }
    }
  }

  /// `nvmed ctl controller attach`.
  struct Attach: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Serves one more controller on an open socket, which is handed over.",
      discussion: """
        The socket is one that this process inherited: a connected one is served until it closes, a listening one for
        ever. Whoever starts a virtual machine can so connect it to a daemon that may not open its files:

          nvmed ctl controller attach vm3 --fd 3 --image-fd 4
        """)

    @OptionGroup var controller: NewController
    @Option(name: .long, help: ArgumentHelp("Number of the socket in this process.", valueName: "number"))
    var fd: Int32
    @OptionGroup var control: ControlOptions

    func run() throws {
      try requireOpen(fd, "--fd")
      var descriptors = [fd]
      let members = try controller.object(&descriptors)
      try control.run("controller.attach", ["controller": .object(members)], descriptors: descriptors) {
        (_: NoResult) in ["controller '\(controller.name)' is served on the socket handed over"]
      }
    }
  }

  /// `nvmed ctl controller remove`.
  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ends a controller: what is in flight is completed, its client is disconnected.")

    @Argument(help: "The controller's name.") var name: String
    @OptionGroup var control: ControlOptions

    func run() throws {
      try control.run("controller.remove", ["controller": .string(name)]) { (_: NoResult) in
        ["controller '\(name)' removed"]
      }
    }
  }

  /// `nvmed ctl controller drain`.
  struct Drain: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Waits for a moment at which nothing of a guest is in flight and everything is durable.")

    @Argument(help: "The controller's name.") var name: String
    @OptionGroup var control: ControlOptions

    func run() throws {
      try control.run("controller.drain", ["controller": .string(name)]) { (_: NoResult) in
        ["'\(name)': nothing was in flight, and everything is durable"]
      }
    }
  }

  /// `nvmed ctl controller set-limits`.
  struct SetLimits: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set-limits", abstract: "Replaces the rate limits of a controller.",
      discussion: """
        Limits that are not given are none; without any the controller is unlimited.

          nvmed ctl controller set-limits vm1 --set iops_limit=5000 --set bandwidth_limit=200MiB/s
        """)

    @Argument(help: "The controller's name.") var name: String
    @OptionGroup var keys: KeyOptions
    @OptionGroup var control: ControlOptions

    func run() throws {
      let members = try keys.members()
      try control.run("controller.set_limits", ["controller": .string(name), "limits": .object(members)]) {
        (_: JSONValue) in ["'\(name)': \(members.isEmpty ? "no rate limits" : "rate limits set")"]
      }
    }
  }
}
