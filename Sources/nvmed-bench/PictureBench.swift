import ArgumentParser
import Benchmarking

/// `nvmed-bench picture`: a result as a picture.
struct PictureBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "picture", abstract: "Prints a result that scripts/bench has written as a picture (SVG).")

  @Argument(help: "A result: FILE.json.")
  var file: String

  func run() throws {
    let result = try BenchResult(path: file)
    guard let picture = result.picture else { throw ValidationError("\(file): there is no suite \(result.suite)") }
    print(picture.svg, terminator: "")
  }
}
