import ArgumentParser
import Benchmarking

/// `nvmed-bench report`: the tables of results, and the targets.
struct ReportBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Prints the tables of results that scripts/bench has written.")

  @Argument(help: "Results: FILE.json.")
  var files: [String]

  @Flag(help: "Print what was measured against the targets, and nothing else.")
  var targets = false

  @Flag(help: "With --targets: exit status 1 where one is missed.")
  var strict = false

  func run() throws {
    var results: [BenchResult] = []
    for file in files { results.append(try BenchResult(path: file)) }
    guard targets else {
      for (file, result) in zip(files, results) {
        guard let report = result.report else {
          throw ValidationError("\(file): there is no suite \(result.suite)")
        }
        print(report)
      }
      return
    }
    let outcomes = Target.outcomes(results)
    print(Target.table(outcomes))
    if strict, outcomes.contains(where: { $0.isMet == false }) { throw ExitCode.failure }
  }
}
