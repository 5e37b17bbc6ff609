import ArgumentParser

/// The command `microvmm`: a small VMM on `/dev/kvm` whose one device is served over vfio-user.
@main
struct MicroVMMCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "microvmm",
    abstract: "A small VMM on /dev/kvm whose one device is served over vfio-user.",
    subcommands: [ProbeCommand.self, PostWriteTestCommand.self, DiskTestCommand.self, LinuxCommand.self])
}
