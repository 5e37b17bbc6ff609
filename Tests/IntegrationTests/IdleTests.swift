import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// A daemon whose guest does nothing does nothing either.
@Suite(.serialized) struct IdleTests {
  /// Without a client, with one that has begun, and with one that was busy a moment ago: no thread runs.
  @Test(arguments: [DoorbellMechanism.slots, .socket(posted: true)])
  func makesNoSystemCallWhenIdle(_ doorbells: DoorbellMechanism) throws {
    let served = try ServedController(options: ["--io-threads", "2"])
    try expectIdle(served.daemon, "without a client")
    let host = try served.host(HostOptions(doorbells: doorbells, vectors: 3))
    var loads = try VerifiedLoad(
      try host.createQueue(1, depth: 32, vector: 1), memory: host.memory, depth: 31, firstBlock: 0, seed: 1)
    let other = try host.createQueue(2, depth: 32, vector: 2)
    try loads.run(commands: 1000)
    try expectIdle(served.daemon, "after commands")
    try loads.run(commands: 10)
    try loads.finish()
    _ = consume other
    host.disconnect()
    try served.daemon.terminate()
  }

  /// Two seconds in which nobody asks for anything: every thread sleeps the whole time in the call that it is in.
  private func expectIdle(_ daemon: DaemonProcess, _ when: Comment) throws {
    // What was under way comes to its end: the threads look on for work for some microseconds.
    try wait(milliseconds: 100)
    let switches = try ProcessStatistics.voluntarySwitches(daemon)
    let ticks = try ProcessStatistics.ticks(daemon)
    try wait(milliseconds: 2000)
    #expect(try ProcessStatistics.voluntarySwitches(daemon) == switches, when)
    #expect(try ProcessStatistics.ticks(daemon) == ticks, when)
  }

  /// Waits on what never comes.
  private func wait(milliseconds: Int32) throws {
    let never = try EventFD()
    never.wait(timeout: milliseconds)
  }
}
