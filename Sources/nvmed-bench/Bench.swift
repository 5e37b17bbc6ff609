import ArgumentParser

/// The command `nvmed-bench`: measures a served controller as a guest would use it.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nvmed-bench",
    abstract: "Measures an NVMe controller that is served over vfio-user, and what it is built on.",
    subcommands: subcommands)

  private static var subcommands: [any ParsableCommand.Type] {
    let everywhere: [any ParsableCommand.Type] = [
      PathBench.self, FetchBench.self, IOBench.self, PingPongBench.self, RelayBench.self, ScaleBench.self,
      CallsBench.self, StormBench.self, SoakBench.self, IsolationBench.self, DriveBench.self, ReportBench.self,
      PictureBench.self,
    ]
    #if canImport(MicroVMM)
      return everywhere + [DoorbellBench.self]
    #else
      return everywhere
    #endif
  }
}
