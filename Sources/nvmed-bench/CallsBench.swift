import ArgumentParser
import Benchmarking
import Glibc
import LinuxIO

/// `nvmed-bench calls`: the system calls of a process.
struct CallsBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calls",
    abstract: "Counts the system calls of a process for some time, by eBPF.",
    discussion: "It needs root, or CAP_BPF and CAP_PERFMON, and fails where calls cannot be counted.")

  @Option(help: "The process.")
  var process: Int32

  @Option(help: "How long, in seconds.")
  var seconds = 1.0

  func validate() throws {
    guard process > 0 else { throw ValidationError("--process: write the number of a process") }
    guard seconds >= 0, seconds <= 3600 else { throw ValidationError("--seconds: write 0 to 3600") }
  }

  func run() throws {
    let counter = try SystemCallCounter(process: process)
    let never = try EventFD()
    never.wait(timeout: Int32(seconds * 1000))
    for (number, count) in counter.counts().sorted(by: { ($0.value, $1.key) > ($1.value, $0.key) }) {
      print("\(count) \(SystemCallName.of(number))")
    }
  }
}
