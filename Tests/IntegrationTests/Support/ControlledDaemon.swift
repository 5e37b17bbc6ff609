import Control
import Glibc
import LinuxIO
import NVMeHost
import Testing

/// A daemon with a control socket, and what `nvmed ctl` says to it.
final class ControlledDaemon {
  let folder: TestFolder
  let daemon: DaemonProcess

  /// Starts a daemon with controllers of these names, each with an image of 4 MiB: `NAME.img`.
  init(_ names: [String] = ["a"], daemon keys: String = "") throws {
    folder = try TestFolder()
    for name in names { _ = try folder.image("\(name).img", byteCount: 4 << 20) }
    _ = try folder.text("nvmed.toml", ControlledDaemon.configuration(names, keys))
    daemon = try DaemonProcess(["serve", "--config", folder.file("nvmed.toml")])
    try daemon.awaitLog("control socket")
  }

  static func configuration(_ names: [String], _ keys: String = "") -> String {
    "[daemon]\ncontrol_socket = \"control\"\n\(keys)\n"
      + names.map { name in
        """

        [[controller]]
        name = "\(name)"
        socket = "\(name).sock"
        post_write = "kernel"
        [[controller.namespace]]
        image = "\(name).img"

        """
      }.joined()
  }

  /// The control socket.
  var socket: String { folder.file("control") }

  /// A client in this process.
  func client() throws -> ControlClient { try ControlClient(path: socket, patience: patience) }

  /// Runs `nvmed ctl`: what it said and how it ended.
  func ctl(_ arguments: String..., handover: (Int32, Int32)? = nil) throws -> (end: DaemonProcess.End, text: String) {
    let process = try DaemonProcess(
      ["ctl"] + arguments + ["--socket", socket], handover: handover.map { [(descriptor: $0.0, number: $0.1)] } ?? [])
    let end = try process.awaitEnd()
    return (end, process.log.text)
  }

  /// Runs `nvmed ctl --json`, which must succeed: its result.
  func result(_ arguments: String...) throws -> JSONValue {
    let process = try DaemonProcess(["ctl"] + arguments + ["--json", "--socket", socket])
    let end = try process.awaitEnd()
    guard end == .exit(0), let value = JSONValue(text: process.log.text) else {
      throw TestFailure("nvmed ctl \(arguments.joined(separator: " ")): \(end), \(process.log.text)")
    }
    return value
  }

  /// A host whose driver has begun.
  func host(_ socket: String) throws -> HostController {
    let host = try HostController(
      path: folder.file(socket), memory: try HostMemory(byteCount: 8 << 20),
      options: HostOptions(doorbells: .slots, vectors: 3))
    try host.initialize(queues: 2)
    return host
  }
}
