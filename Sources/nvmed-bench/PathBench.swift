import ArgumentParser

extension PathCase: ExpressibleByArgument {}
extension PathRun.Side: ExpressibleByArgument {}
extension PathRun.Storage: ExpressibleByArgument {}

/// `nvmed-bench path`: the I/O path alone, in this process and thread.
struct PathBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "path",
    abstract: "Runs the I/O path alone, nvmed's and a C reference of the same work, and prints CPU time per command.",
    discussion: """
      A command is fetched from a submission queue in memory, decoded, checked, its PRPs are translated to iovecs, it \
      is given to the backend, and its completion is posted; one round for each burst. Its instructions are counted by \
      scripts/bench-path.
      """)

  @Option(help: "Who does the work; the default is both, in turn.")
  var side: [PathRun.Side] = PathRun.Side.allCases

  @Option(help: "What the namespace is kept in; the default is all, in turn.")
  var storage: [PathRun.Storage] = PathRun.Storage.allCases

  @Option(name: .customLong("case"), help: "What a command asks for; the default is all, in turn.")
  var kinds: [PathCase] = PathCase.allCases

  @Option(help: "Commands of each measurement, rounded up to bursts.")
  var commands = 1_000_000

  @Option(help: "Commands that are submitted at a time: 1, 2, 4, 8, 16, 32 or 64; repeat it for more.")
  var burst = [32]

  func validate() throws {
    guard (1...100_000_000).contains(commands) else { throw ValidationError("--commands: write 1 to 100000000") }
    guard burst.allSatisfy({ [1, 2, 4, 8, 16, 32, 64].contains($0) }) else {
      throw ValidationError("--burst: write 1, 2, 4, 8, 16, 32 or 64")
    }
  }

  func run() throws {
    for burst in burst {
      let bursts = (commands + burst - 1) / burst
      for storage in storage {
        for kind in kinds {
          for side in side {
            let run = PathRun(side: side, storage: storage, kind: kind, bursts: bursts, burst: burst)
            let time = try run.run()
            print("\(run.name) \(bursts * burst) commands \(Double(time * 10 / UInt64(bursts * burst)) / 10) ns")
          }
        }
      }
    }
  }
}
