import Metrics
import NVMeController
import Testing

@Suite struct ExpositionTests {
  private static func families(_ exposition: Exposition) throws -> [String: ExpositionParser.Family] {
    let text = exposition.text(.sample)
    let families = try ExpositionParser.parse(text, isOpenMetrics: exposition == .openMetrics)
    return Dictionary(uniqueKeysWithValues: families.map { ($0.name, $0) })
  }

  private static func value(
    _ families: [String: ExpositionParser.Family], _ family: String, _ labels: [String: String] = [:],
    suffix: String = ""
  ) -> Double? {
    families[family]?.samples.first { $0.name == family + suffix && $0.labels == labels }?.value
  }

  @Test func valuesAreThoseOfTheSnapshot() throws {
    let families = try Self.families(.prometheus)
    let disk = ["controller": "disk0"]
    let expected: [(String, [String: String], Double)] = [
      ("nvmed_build_info", ["version": "1.2.3"], 1),
      ("process_start_time_seconds", [:], 1_795_000_000.5),
      ("process_cpu_seconds_total", [:], 2.5),
      ("nvmed_io_thread_cpu_seconds_total", ["thread": "nvmed-io0"], 1.25),
      ("nvmed_io_thread_wakeups_total", ["thread": "nvmed-io0"], 60),
      ("nvmed_io_thread_rounds_total", ["thread": "nvmed-io0"], 100),
      ("nvmed_io_thread_rounds_total", ["thread": "nvmed-io1"], 0),
      ("nvmed_io_thread_context_switches_total", ["thread": "nvmed-io0", "type": "voluntary"], 61),
      ("nvmed_io_thread_context_switches_total", ["thread": "nvmed-io0", "type": "involuntary"], 2),
      ("nvmed_io_thread_aio_in_flight", ["thread": "nvmed-io0"], 3),
      ("nvmed_io_thread_aio_capacity", ["thread": "nvmed-io0"], 1024),
      ("nvmed_commands_total", disk.merging(["kind": "read"]) { $1 }, 16),
      ("nvmed_commands_total", disk.merging(["kind": "write_zeroes"]) { $1 }, 0),
      ("nvmed_command_bytes_total", disk.merging(["kind": "read"]) { $1 }, 65_536),
      ("nvmed_command_failures_total", disk.merging(["status": "LBA Out of Range (0/80)"]) { $1 }, 2),
      ("nvmed_media_errors_total", disk, 1),
      ("nvmed_commands_in_flight", disk, 11),
      ("nvmed_doorbells_total", disk.merging(["path": "slot"]) { $1 }, 7),
      ("nvmed_doorbells_total", disk.merging(["path": "message"]) { $1 }, 8),
      ("nvmed_doorbells_total", disk.merging(["path": "shadow"]) { $1 }, 0),
      ("nvmed_interrupts_total", disk, 9),
      ("nvmed_doorbell_wakeups_total", disk, 10),
      ("nvmed_connections_total", disk, 12),
      ("nvmed_connections_refused_total", disk, 13),
      ("nvmed_log_lines_suppressed_total", disk, 14),
      ("nvmed_dma_ranges", disk, 15),
      ("nvmed_dma_bytes", disk, Double(1 << 34)),
      ("nvmed_queues", disk.merging(["type": "submission"]) { $1 }, 4),
      ("nvmed_queues", disk.merging(["type": "completion"]) { $1 }, 5),
      ("nvmed_control_thread_cpu_seconds_total", disk, 0.75),
      ("nvmed_namespace_size_bytes", disk.merging(["nsid": "1"]) { $1 }, Double(1 << 30)),
      ("nvmed_namespace_write_cache_failed", disk.merging(["nsid": "1"]) { $1 }, 1),
      ("nvmed_controller_state", disk.merging(["state": "ready"]) { $1 }, 1),
      ("nvmed_controller_state", disk.merging(["state": "waiting"]) { $1 }, 0),
    ]
    for (family, labels, value) in expected {
      #expect(Self.value(families, family, labels) == value, "\(family) \(labels)")
    }
    #expect(Self.value(families, "nvmed_dma_ranges", ["controller": "a\"b\\c\nd"]) == 0, "an escaped name")
  }

  @Test func latenciesAreCumulativeAndExactAtTheirBounds() throws {
    let families = try Self.families(.prometheus)
    let name = "nvmed_command_latency_seconds"
    let read = ["controller": "disk0", "kind": "read"]
    func bucket(_ bound: String) -> Double? {
      Self.value(families, name, read.merging(["le": bound]) { $1 }, suffix: "_bucket")
    }
    #expect(bucket("1.024e-06") == 10)
    #expect(bucket("6.5536e-05") == 10)
    #expect(bucket("0.000131072") == 15)
    #expect(bucket("1.073741824") == 15)
    #expect(bucket("+Inf") == 16)
    #expect(Self.value(families, name, read, suffix: "_count") == 16)
    let sum = try #require(Self.value(families, name, read, suffix: "_sum"))
    let exact = 10 * 1024e-9 + 5 * 100_000e-9 + 2
    #expect(abs(sum - exact) / exact < 1.0 / 32)
    let buckets = families[name]?.samples.filter { $0.name == name + "_bucket" && $0.labels["kind"] == "read" }
    #expect(buckets?.count == 22)
    #expect(families[name]?.samples.contains { $0.labels["kind"] == "write" } == false, "there were no writes")
  }

  @Test func batchesAreCumulative() throws {
    let families = try Self.families(.prometheus)
    let name = "nvmed_io_thread_submission_batch_size"
    let bounds = [("1.0", 2.0), ("2.0", 2), ("4.0", 3), ("32.0", 4), ("1024.0", 4), ("+Inf", 5)]
    for (bound, count) in bounds {
      #expect(Self.value(families, name, ["thread": "nvmed-io0", "le": bound], suffix: "_bucket") == count, "\(bound)")
    }
    #expect(Self.value(families, name, ["thread": "nvmed-io0"], suffix: "_sum") == 2038)
  }

  @Test func openMetricsIsTheSameInItsOwnForm() throws {
    let plain = try Self.families(.prometheus)
    let open = try Self.families(.openMetrics)
    #expect(open.count == plain.count)
    #expect(open["nvmed_commands"]?.type == "counter")
    #expect(Self.value(open, "nvmed_interrupts", ["controller": "disk0"], suffix: "_total") == 9)
    let values = { (families: [String: ExpositionParser.Family]) in families.values.flatMap(\.samples).map(\.value) }
    #expect(values(open).sorted() == values(plain).sorted())
  }

  @Test(arguments: [
    ("", Exposition.prometheus), ("text/plain", .prometheus), ("*/*", .prometheus),
    ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3", .openMetrics),
    ("text/plain, Application/OpenMetrics-Text ; version=1.0.0", .openMetrics),
    ("application/openmetrics-textual", .prometheus),
  ])
  func acceptHeader(_ text: String, _ expected: Exposition) {
    #expect(Exposition(accept: text) == expected)
  }

  /// What a guest can cause does not make the text grow without bound.
  @Test func sizeIsBounded() throws {
    var snapshot = MetricsSnapshot.sample
    var controller = snapshot.controllers[0]
    for kind in CommandKind.allCases {
      var commands = ControllerStatistics.Commands()
      for exponent in 0..<64 { commands.latency.record(1 << UInt64(exponent)) }
      controller.statistics.commands[kind] = commands
    }
    snapshot.controllers = [controller]
    let text = Exposition.prometheus.text(snapshot)
    #expect(text.count(where: { $0 == UInt8(ascii: "\n") }) < 500)
  }
}
