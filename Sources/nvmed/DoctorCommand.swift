import ArgumentParser
import Daemon

/// `nvmed doctor`: what this host can do for the daemon, and what to do about the rest.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Says what this host can do for nvmed, and what to do about the rest.",
    discussion: """
      Each line says ok, limited (nvmed works without it, or with less of it) or missing (it does not), why, and what
      to do. Changes nothing and disturbs no daemon that runs. Exits with 1 where something is missing.

        nvmed doctor
        nvmed doctor /srv/images /srv/vm1.img /dev/vg0/vm2
        nvmed doctor --config /etc/nvmed/nvmed.toml
      """)

  @Option(name: .long, help: "Configuration file (TOML): its sockets and images are looked at.")
  var config: String?

  @Flag(name: .long, help: "Print a JSON array of objects: id, subject, title, verdict, reason, remedy.")
  var json = false

  @Argument(help: "Image, block device or folder for images; several are looked at in turn.")
  var paths: [String] = []

  func run() throws {
    let findings = Doctor.examine(configurationPath: config, paths: paths)
    print(json ? FindingJSON(findings).text : FindingText(findings).text, terminator: "")
    if !Doctor.canRun(findings) { throw ExitCode.failure }
  }
}
