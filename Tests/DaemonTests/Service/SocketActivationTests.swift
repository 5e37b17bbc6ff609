import Glibc
import Testing

@testable import Daemon

@Suite struct SocketActivationTests {
  private func activation(_ environment: [String: String]) throws(DaemonError) -> SocketActivation {
    try SocketActivation(environment: { environment[$0] }, process: 4711)
  }

  private func activation(named names: String...) throws(DaemonError) -> SocketActivation {
    try activation([
      "LISTEN_PID": "4711", "LISTEN_FDS": "\(names.count)", "LISTEN_FDNAMES": names.joined(separator: ":"),
    ])
  }

  private func configuration(_ names: String..., socket: String? = nil) -> DaemonConfiguration {
    DaemonConfiguration(controllers: names.map { ControllerConfiguration(name: $0, socketPath: socket) })
  }

  /// The sentence of a refusal; nil where there is none.
  private func refusal(_ body: () throws(DaemonError) -> Void) -> String? {
    do throws(DaemonError) {
      try body()
      return nil
    } catch { return error.description }
  }

  @Test func numbersFollowTheNames() throws {
    #expect(try activation(named: "b", "control", "a").sockets == ["b": 3, "control": 4, "a": 5])
    #expect(try activation(["LISTEN_PID": "4711", "LISTEN_FDS": "1"]).sockets == ["unknown": 3])
  }

  @Test(arguments: [
    [:], ["LISTEN_FDS": "2"], ["LISTEN_PID": "4712", "LISTEN_FDS": "2"], ["LISTEN_PID": "4711", "LISTEN_FDS": "0"],
    ["LISTEN_PID": "x", "LISTEN_FDS": "2"],
  ])
  func otherProcessesSocketsAreNotOurs(_ environment: [String: String]) throws {
    #expect(try activation(environment).sockets.isEmpty)
  }

  @Test(arguments: ["-1", "1025", "many", "", "99999999999999999999"])
  func refusesNumbersThatCannotBe(_ count: String) {
    let text = refusal { () throws(DaemonError) in _ = try activation(["LISTEN_PID": "4711", "LISTEN_FDS": count]) }
    #expect(text?.hasPrefix("LISTEN_FDS=\(count) is no number of sockets") == true)
  }

  @Test func refusesNamesThatDoNotFit() {
    let environment = ["LISTEN_PID": "4711", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a"]
    #expect(refusal { () throws(DaemonError) in _ = try activation(environment) }?.contains("1 names") == true)
    let twice = refusal { () throws(DaemonError) in _ = try activation(named: "a", "b", "a") }
    #expect(twice?.contains("two sockets named \"a\"") == true)
  }

  @Test func controllersTakeTheSocketsOfTheirNames() throws {
    var configuration = configuration("a", "b")
    configuration.controllers.append(ControllerConfiguration(name: "c", socketPath: "/run/c.sock"))
    try activation(named: "b", "control", "a").assign(to: &configuration)
    #expect(configuration.controllers.map(\.inheritedSocket) == [5, 3, nil])
    #expect(configuration.inheritedControlSocket == 4)
  }

  @Test func withoutActivationNothingChanges() throws {
    var configuration = configuration("a")
    try activation([:]).assign(to: &configuration)
    #expect(configuration == self.configuration("a"))
  }

  @Test func theOnlyControllerOfACommandLineTakesTheOnlySocket() throws {
    var configuration = configuration("nvme0")
    try activation(named: "vm1.socket").assign(to: &configuration, byName: false)
    #expect(configuration.controllers[0].inheritedSocket == 3)
  }

  @Test func saysWhatDoesNotFit() throws {
    let sockets = try activation(named: "a", "x")
    var missing = configuration("a", "b")
    #expect(
      refusal { () throws(DaemonError) in try sockets.assign(to: &missing) }
        == "controller 'b' has no 'socket', and systemd hands over none named \"b\" (it has \"a\", \"x\"); write "
        + "FileDescriptorName=b in its socket unit")
    var unknown = configuration("a")
    let text = refusal { () throws(DaemonError) in try sockets.assign(to: &unknown) }
    #expect(text?.hasPrefix("systemd hands over \"x\", and no controller without 'socket' has that name") == true)
    var controlled = configuration("a")
    controlled.controlSocket = "/run/control"
    let control = refusal { () throws(DaemonError) in try activation(named: "control", "a").assign(to: &controlled) }
    #expect(control?.hasPrefix("daemon.control_socket is set") == true)
    var both = configuration("a", socket: "/run/a.sock")
    let twice = refusal { () throws(DaemonError) in try sockets.assign(to: &both) }
    #expect(twice == "controller 'a' has 'socket', and systemd hands over a socket of its name; remove one")
  }
}
