import ArgumentParser
import Daemon

/// `nvmed check-config`: reads a configuration file and starts nothing.
struct CheckConfig: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks a configuration file; says everything that is wrong with it, and exits with 1 then.")

  @Argument(help: "Configuration file (TOML).")
  var file: String

  func run() throws {
    do throws(ConfigurationErrors) {
      let configuration = try DaemonConfiguration(path: file)
      let count = configuration.controllers.count
      print("\(file): no errors; \(count) \(count == 1 ? "controller" : "controllers")")
    } catch {
      throw Failure(error.description)
    }
  }
}
