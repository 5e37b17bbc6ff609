import ArgumentParser
import NVMeHost

/// `nvmed-bench soak`: uses a daemon for a long time in every way, and looks at what is left of it.
struct SoakBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "soak",
    abstract: "Uses a daemon for a long time in every way at once, verifies all data, and looks at what it holds.",
    discussion: """
      Starts a daemon with a configuration, a control socket and metrics, and a guest for each controller. Guests send \
      all commands, of all sizes, on queues of all depths; doorbells are rung by slot, by message, by posted message, or \
      kept in memory. Every block says where it belongs and when it was written, and each read is verified; of what was \
      in flight at a reset it is verified that each block is as before or as after. Meanwhile, at random: resets of all \
      kinds, shutdowns, disconnections, memory that is unmapped and mapped again, queues that are deleted and created, \
      aborts, DMA that is turned off, asynchronous events; namespaces that go, come, and change their size, limits, \
      reloads, drains, other controllers, questions on the control socket, scrapes of metrics.

      After a warm-up, and after every minute, all guests read all of their blocks and go: the daemon must hold as many \
      descriptors, threads and aio contexts as after the warm-up, as many mappings but for eight of the allocator's, and \
      not more memory than the allowance says. \
      At the end it is ended, and the images are verified without it. Exit status 0: all of it was right.
      """)

  @Option(help: "The daemon: the path of nvmed.")
  var nvmed: String

  @Option(help: "How long, in seconds.")
  var seconds = 60.0

  @Option(help: "Goes on after that time until this event has happened, too; repeat it for more.")
  var until: [String] = []

  @Option(help: "Controllers, 1 to 16.")
  var controllers = 4

  @Option(help: "Seconds from one line of report to the next.")
  var reportEvery = 10.0

  @Option(help: "Seconds from one reload of the configuration to the next, at least.")
  var reloadInterval = 20.0

  @Option(help: "How much more memory of its own the daemon may have at the end than after the warm-up, in KiB.")
  var allowance = 4096

  @Option(help: "Where the sockets and images are made.")
  var folder = "/var/tmp"

  @Option(help: "Seed of all choices.")
  var seed: UInt64 = 1

  func validate() throws {
    guard seconds > 0, seconds <= 1_000_000 else { throw ValidationError("--seconds: write 1 to 1000000") }
    guard (1...16).contains(controllers) else { throw ValidationError("--controllers: write 1 to 16") }
    guard reportEvery > 0, reportEvery <= 86_400 else { throw ValidationError("--report-every: write 1 to 86400") }
    guard reloadInterval > 0, reloadInterval <= 86_400 else {
      throw ValidationError("--reload-interval: write 1 to 86400")
    }
  }

  func run() throws {
    do {
      var soak = try Soak(self)
      try soak.run()
    } catch let error as HostError {
      throw BenchFailure(error, socket: "a guest")
    }
  }
}
