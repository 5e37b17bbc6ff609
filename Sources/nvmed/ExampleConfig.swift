import ArgumentParser
import Daemon

/// `nvmed example-config`: every option of a configuration file, with its meaning and default.
struct ExampleConfig: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints a configuration file with every option, its meaning and its default.")

  func run() { print(ConfigurationSchema.exampleText(), terminator: "") }
}
