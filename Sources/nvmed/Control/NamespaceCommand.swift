import ArgumentParser
import Console
import Control
import Daemon

/// `nvmed ctl namespace`: disks of a guest that runs.
struct NamespaceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "namespace", abstract: "Lists and changes the namespaces of a controller.",
    subcommands: [List.self, Add.self, Remove.self, Resize.self])

  /// `nvmed ctl namespace list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the namespaces of a controller.")

    @Argument(help: "The controller's name.") var controller: String
    @OptionGroup var control: ControlOptions

    func run() throws {
      try control.run("controller.status", ["controller": .string(controller)]) { (status: ControllerStatus) in
        ControllerTables.namespaces(status.namespaces, width: outputWidth)
      }
    }
  }

  /// `nvmed ctl namespace add`.
  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Adds a namespace to a controller; its guest sees it.")

    @Argument(help: "The controller's name.") var controller: String
    @OptionGroup var namespace: NamespaceOptions
    @Option(
      name: .long, help: ArgumentHelp("Namespace identifier (default: the lowest free one).", valueName: "number"))
    var nsid: Int?
    @OptionGroup var keys: KeyOptions
    @OptionGroup var control: ControlOptions

    func run() throws {
      var descriptors: [Int32] = []
      var members = try namespace.members(&descriptors)
      if let nsid { members["nsid"] = .integer(Int64(nsid)) }
      members.merge(try keys.members()) { _, set in set }
      try control.run(
        "namespace.add", ["controller": .string(controller), "namespace": .object(members)], descriptors: descriptors
      ) { (result: NamespaceResult) in ["namespace \(result.nsid) added to '\(controller)'"] }
    }
  }

  /// `nvmed ctl namespace remove`.
  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Takes a namespace away from a controller; its guest sees it.")

    @Argument(help: "The controller's name.") var controller: String
    @Argument(help: "Namespace identifier.") var nsid: UInt32
    @OptionGroup var control: ControlOptions

    func run() throws {
      try control.run("namespace.remove", ["controller": .string(controller), "nsid": .integer(Int64(nsid))]) {
        (_: NoResult) in ["namespace \(nsid) removed from '\(controller)'"]
      }
    }
  }

  /// `nvmed ctl namespace resize`.
  struct Resize: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Looks at the size of a namespace's image again; its guest sees another one.")

    @Argument(help: "The controller's name.") var controller: String
    @Argument(help: "Namespace identifier.") var nsid: UInt32
    @OptionGroup var control: ControlOptions

    func run() throws {
      try control.run("namespace.resize", ["controller": .string(controller), "nsid": .integer(Int64(nsid))]) {
        (result: NamespaceResult) in ["namespace \(result.nsid) of '\(controller)': \(result.size ?? 0) bytes"]
      }
    }
  }
}
