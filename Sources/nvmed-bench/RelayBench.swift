import ArgumentParser
import Benchmarking
import CLinux
import Glibc
import LinuxIO
import NVMeHost

/// `nvmed-bench relay`: the least that a disk behind another thread can cost on this kernel, to compare with.
struct RelayBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relay",
    abstract: "Reads or writes a file through a thread that does nothing but pass requests to libaio.",
    discussion: """
      One thread asks and sleeps until it is answered, as a guest does; another takes the requests from memory, submits \
      them by libaio and O_DIRECT, and answers. Eventfds wake both. There is no NVMe, no check and no protocol in it: \
      what it loses against fio on the same file is what the kernel takes for waking threads. With --direct one thread \
      does both parts, as fio does. Writes destroy what the file holds.
      """)

  @Option(help: "The file or block device.")
  var image: String

  @Flag(help: "What is done; the default is --randread.")
  var pattern: IOPattern = .randread

  @Option(help: "Bytes of a request, a multiple of 512.")
  var bs = 4096

  @Option(help: "Requests in flight, 1 to 1024.")
  var qd = 32

  @Option(help: "How long is measured.")
  var seconds = 2.0

  @Option(help: "How long the load runs before it is measured, in seconds.")
  var warmup = 0.5

  @Option(help: "The most requests of one io_submit.")
  var submitLimit = AIOContext.defaultSubmitLimit

  @Option(help: "CPU of a thread, of the asking one first; write it twice. Without: any.")
  var cpu: [Int32] = []

  @Flag(help: "One thread asks and submits.")
  var direct = false

  func validate() throws {
    guard (1...1024).contains(qd) else { throw ValidationError("--qd: write 1 to 1024") }
    guard bs >= 512, bs <= 16 << 20, bs % 512 == 0 else {
      throw ValidationError("--bs: write a multiple of 512 up to 16777216")
    }
    guard submitLimit >= 1 else { throw ValidationError("--submit-limit: write 1 or more") }
    guard seconds > 0, seconds <= 3600, warmup >= 0, warmup <= 3600 else {
      throw ValidationError("--seconds and --warmup: write more than 0, at most 3600")
    }
    guard cpu.isEmpty || cpu.count == 2 else { throw ValidationError("--cpu: write it twice, or not at all") }
  }

  func run() throws {
    let file = try FileDescriptor(path: image, flags: O_RDWR | Int32(CLINUX_O_DIRECT))
    let end = lseek(file.rawValue, 0, SEEK_END)
    guard end >= bs else { throw ValidationError("\(image): less than one request long") }
    let relay = try Relay(depth: qd)
    let places = UInt32(clamping: Int(end) / bs)
    let box = DiskBox(
      try RelayDisk(
        file: file, pattern: pattern, depth: qd, byteCount: bs, signal: relay.finished.rawValue,
        submitLimit: submitLimit))
    var threads: [Thread] = []
    if !direct {
      threads.append(
        try Thread(name: "relay", cpus: cpu.last.map { [$0] } ?? []) { if let disk = box.take() { relay.serve(disk) } })
    }
    let plan = RelayPlan(
      places: places, isRandom: pattern.isRandom, warmup: UInt64(warmup * 1e9), duration: UInt64(seconds * 1e9))
    let result = ThreadResults()
    let asking = try Thread(name: "asking", cpus: cpu.first.map { [$0] } ?? []) { [direct] in
      if direct {
        if let disk = box.take() { result.add(.success(relay.serveItself(disk, plan))) }
      } else {
        result.add(.success(relay.ask(plan)))
      }
    }
    asking.join()
    for thread in threads { thread.join() }
    let load = try result.total()
    let iops = Double(load.latencies.totalCount) / (Double(load.duration) / 1e9)
    // Of the thread in nvmed's place, for each of all requests, as nvmed-bench io has it of the daemon.
    let serving = relay.servingTime.load(ordering: .acquiring)
    let cost =
      direct ? "" : ",\"daemon_cpu_ns_per_command\":\(decimal(Double(serving) / Double(max(relay.requests, 1)), 1))"
    print(
      "{\"iops\":\(iops.rounded()),\"latency_ns\":{\"mean\":\(load.latencies.mean.rounded()),"
        + "\"p50\":\(load.latencies.valueAtPercentile(50)),\"p99\":\(load.latencies.valueAtPercentile(99)),"
        + "\"p99.9\":\(load.latencies.valueAtPercentile(99.9))}\(cost)}")
  }
}
