import Benchmarking
import Foundation
import Testing

@Suite struct BenchResultTests {
  private static let text = """
    {"suite": "null", "commit": "abc", "machine": {"cpu": "X"}, "options": {"rounds": "1"}, "placement": "host CPU 0",
     "runs": [{"case": {"depth": "1"}, "runner": "nvmed", "round": 1, "values": {"iops": 1.5, "cpu_ns": 200}},
              {"case": {}, "runner": "ping-pong", "build": "b", "round": 2, "values": {"round_trip_ns": 4000}}]}
    """

  private func path(_ text: String) throws -> String {
    let path = NSTemporaryDirectory() + "bench-result-\(UUID().uuidString).json"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  @Test func readsAFile() throws {
    let file = try path(BenchResultTests.text)
    defer { unlink(file) }
    let result = try BenchResult(path: file)
    #expect(result.suite == "null")
    #expect(result.placement == "host CPU 0")
    #expect(result.runs.count == 2)
    #expect(
      result.runs[0]
        == BenchRun(["depth": "1"], runner: "nvmed", round: 1, values: ["iops": 1.5, "cpu_ns": 200]))
    #expect(
      result.runs[1] == BenchRun([:], runner: "ping-pong", build: "b", round: 2, values: ["round_trip_ns": 4000]))
  }

  @Test(arguments: ["", "{", "[]", "{\"suite\": \"null\"}"])
  func saysWhatIsWrong(_ text: String) throws {
    let file = try path(text)
    defer { unlink(file) }
    #expect { _ = try BenchResult(path: file) } throws: { error in
      "\(error)".hasPrefix("\(file): it is no result of a bench")
    }
  }

  @Test func saysWhatIsNotThere() {
    #expect(throws: BenchResultError.self) { _ = try BenchResult(path: "/nonexistent/x.json") }
  }
}
