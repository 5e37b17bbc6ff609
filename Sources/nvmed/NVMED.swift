import ArgumentParser
import Daemon

/// The command `nvmed`.
@main
struct NVMED: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nvmed",
    abstract: "Serves disk images to virtual machines as NVMe SSDs, over vfio-user.",
    version: "nvmed \(Daemon.version)",
    subcommands: [
      Serve.self, CheckConfig.self, ExampleConfig.self, DoctorCommand.self, ControlCommand.self, TopCommand.self,
    ], defaultSubcommand: Serve.self)
}
