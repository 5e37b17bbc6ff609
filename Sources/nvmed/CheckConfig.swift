import ArgumentParser
import Daemon

/// `nvmed check-config`: reads a configuration file and starts nothing.
struct CheckConfig: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks a configuration file; says everything that is wrong with it, and exits with 1 then.",
    discussion: """
      Each error is one line: the file, the line in it, the key, what is wrong and what to write instead. Nothing is
      started and nothing is opened but the file.

        nvmed check-config /etc/nvmed/nvmed.toml
        nvmed check-config --files /etc/nvmed/nvmed.toml
      """)

  @Flag(
    name: .long,
    help:
      "Look at the images and the folders of the sockets too, as serve does: whether they are there and may be used.")
  var files = false

  @Argument(help: "Configuration file (TOML).")
  var file: String

  func run() throws {
    do throws(ConfigurationErrors) {
      let configuration = try DaemonConfiguration(path: file, checkingFiles: files)
      let count = configuration.controllers.count
      print("\(file): no errors; \(count) \(count == 1 ? "controller" : "controllers")")
    } catch {
      throw Failure(error.description)
    }
  }
}
