import Foundation
import Testing

/// What scripts/bench runs, for a moment each: that it measures something, and that what it says fits together.
@Suite struct BenchTests {
  /// The numbers that a command prints as one line of JSON.
  private func run(_ arguments: [String]) throws -> [String: Double] {
    let bench = try DaemonProcess(arguments, program: DaemonProcess.bench)
    let end = try bench.awaitEnd()
    guard end == .exit(0) else { throw TestFailure("nvmed-bench \(arguments): \(end): \(bench.log.text)") }
    let values = try JSONSerialization.jsonObject(with: Data(bench.log.text.utf8)) as? [String: Any] ?? [:]
    return values.compactMapValues { $0 as? Double }
  }

  /// Each controller has one control thread; nobody wakes up for nothing.
  @Test func measuresAFleet() throws {
    let folder = try TestFolder()
    let fleet = { (count: Int) in
      try run([
        "scale", "--nvmed", DaemonProcess.binary, "--controllers", "\(count)", "--idle", "0.3", "--active", "0.1",
        "--traffic", "10", "--folder", folder.path,
      ])
    }
    let one = try fleet(1)
    let three = try fleet(3)
    #expect(three["threads"] == one["threads"].map { $0 + 2 })
    for values in [one, three] {
      #expect(values["idle_wakeups"] == 0)
      #expect(values["idle_cpu_ns"] == 0)
      for name in ["iops", "cpu_ns", "rss_bytes", "pss_bytes", "anonymous_bytes", "descriptors", "ready_ms"] {
        #expect(values[name] ?? 0 > 0, "\(name)")
      }
      #expect(values["first_command_ms"] ?? 0 > values["ready_ms"] ?? .infinity)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty, "it leaves nothing behind")
  }

  @Test func measuresWhatTheDaemonUses() throws {
    let served = try ServedController()
    let values = try run([
      "io", "--socket", served.socketPath, "--seconds", "0.2", "--warmup", "0", "--qd", "4", "--daemon",
      "\(served.daemon.pid)", "--json",
    ])
    #expect(values["iops"] ?? 0 > 0)
    #expect(values["daemon_cpu_ns_per_command"] ?? 0 > 0)
    #expect(values["daemon_switches_per_command"] != nil)
    #expect(values["daemon_calls_per_command"] == nil, "nobody has asked for it")
    try served.daemon.terminate()
  }

  @Test(arguments: [[], ["--direct"]])
  func relays(_ options: [String]) throws {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: 1 << 20)
    let values = try run(
      ["relay", "--image", image.path, "--seconds", "0.2", "--warmup", "0", "--randwrite"] + options)
    #expect(values["iops"] ?? 0 > 0)
    #expect((values["daemon_cpu_ns_per_command"] != nil) == options.isEmpty)
  }
}
