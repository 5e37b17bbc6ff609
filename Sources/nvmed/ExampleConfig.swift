import ArgumentParser
import Daemon

/// `nvmed example-config`: every option of a configuration file, with its meaning and default.
struct ExampleConfig: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints a configuration file with every option, its meaning and its default.",
    discussion: """
      It describes one controller with one image, and is a beginning for a file of your own:

        nvmed example-config > nvmed.toml
        nvmed check-config nvmed.toml
        nvmed serve --config nvmed.toml

      nvmed.toml(5) says the same as a manual page.
      """)

  @Flag(name: .long, help: "Let every key stand in comments, so that the file configures no controller.")
  var commented = false

  func run() { print(ConfigurationSchema.exampleText(commented: commented), terminator: "") }
}
