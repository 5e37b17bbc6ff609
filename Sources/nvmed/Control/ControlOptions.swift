import ArgumentParser
import Console
import Control
import FoundationEssentials
import Glibc
import LinuxIO

/// How a command reaches the daemon and shows what it says.
struct ControlOptions: ParsableArguments {
  /// Where the socket is looked for where nobody says it.
  static let defaultSocket = "/run/nvmed/control.sock"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The daemon's control socket (default: $NVMED_CONTROL_SOCKET, else \(defaultSocket)).", valueName: "path"))
  var socket: String?

  @Flag(name: .long, help: "Print the result as JSON.")
  var json = false

  /// The path of the socket.
  var path: String {
    if let socket { return socket }
    return ProcessEnvironment.value("NVMED_CONTROL_SOCKET") ?? ControlOptions.defaultSocket
  }

  /// Calls a method, and prints its result: as JSON, or as `show` makes it. What is refused ends the process.
  ///
  /// - Parameter descriptors: numbers of descriptors to hand over.
  func run<Result: Decodable>(
    _ method: String, _ parameters: JSONValue = .object([:]), descriptors: [Int32] = [],
    _ show: (Result) -> [String]
  ) throws {
    do throws(ControlClientError) {
      var client = try ControlClient(path: path)
      if json {
        print(
          ControlOptions.text(try client.call(method, parameters, descriptors: descriptors, returning: JSONValue.self)))
      } else {
        for line in show(try client.call(method, parameters, descriptors: descriptors)) { print(line) }
      }
    } catch { throw ControlOptions.exit(error) }
  }

  /// Says why there is no result; the exit code to throw: 1 where the daemon refuses, 2 where it cannot be reached.
  static func exit(_ error: ControlClientError) -> ExitCode {
    writeError("\(error)")
    if case .refused = error { return ExitCode(1) }
    return ExitCode(2)
  }

  /// Says why on standard error, as the argument parser does.
  static func writeError(_ text: String) {
    var bytes = Array("Error: \(text)\n".utf8)
    let count = bytes.count
    _ = unsafe write(STDERR_FILENO, &bytes, count)
  }

  /// A value as JSON for people and programs: indented, with the names in order.
  static func text(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }
}

/// Columns to print for: those of the terminal, or 80.
var outputWidth: Int {
  var size = winsize()
  guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 40 else { return 80 }
  return Int(size.ws_col)
}
