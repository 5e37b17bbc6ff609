import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// Signals to the daemon: `Daemon/Signals.swift`.
@Suite struct SignalTests {
  /// What operators, terminals and log rotation send without meaning that all guests are to lose their disks; and a stop,
  /// after which every system call that slept returns early.
  @Test(arguments: [SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGWINCH, SIGCHLD, SIGCONT, SIGSTOP])
  func goesOn(_ signal: Int32) throws {
    let served = try ServedController(options: ["--io-threads", "2"])
    let host = try served.host(HostOptions(doorbells: .slots, vectors: 2))
    let load = try BackgroundLoad(
      try VerifiedLoad(
        try host.createQueue(1, depth: 32, vector: 1), memory: host.memory, depth: 16, firstBlock: 0, seed: 1))
    for _ in 0..<20 {
      try load.awaitBatches(3)
      kill(served.daemon.pid, signal)
      if signal == SIGSTOP {
        try served.daemon.awaitStop()
        kill(served.daemon.pid, SIGCONT)
      }
    }
    // The idle threads, which sleep in their calls for ever, too.
    var result = try load.stop()
    kill(served.daemon.pid, signal)
    if signal == SIGSTOP {
      try served.daemon.awaitStop()
      kill(served.daemon.pid, SIGCONT)
    }
    try result.run(commands: 100)
    try result.finish()
    #expect(try host.identifyController() == host.identity)
    host.disconnect()
    try served.daemon.terminate()
  }

  /// Both complete what is in flight, and end in order.
  @Test(arguments: [SIGTERM, SIGINT]) func ends(_ signal: Int32) throws {
    let served = try ServedController()
    let host = try served.host(HostOptions(doorbells: .slots, vectors: 2))
    let queue = try host.createQueue(1, depth: 32, vector: 1)
    _ = consume queue
    kill(served.daemon.pid, signal)
    #expect(try served.daemon.awaitEnd() == .exit(0))
    host.disconnect()
  }
}
