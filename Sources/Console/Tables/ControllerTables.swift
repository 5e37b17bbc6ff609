import Daemon
import NVMeController

/// What a controller says of itself, for people.
public enum ControllerTables {
  /// `controller.status`.
  public static func status(_ status: ControllerStatus, width: Int = 80) -> [String] {
    let client = status.client.map { $0.processID.map { ", client process \($0)" } ?? ", client connected" } ?? ""
    let doorbells = status.doorbells
    let statistics = status.statistics
    let latency = statistics.latency
    var facts = [
      ("serial", status.serial),
      ("socket", status.socketPath ?? "(handed over)"),
      (
        "doorbells",
        "\(doorbells.path.rawValue) (doorbells \(doorbells.choice.rawValue), post_write \(doorbells.postWrite.rawValue), "
          + "shadow_doorbells \(doorbells.shadowDoorbells))"
      ),
      ("queues", "\(ioQueueCount(status)) I/O submission queues"),
      ("memory", "\(status.dma.mapCount) ranges, \(Quantity.size(status.dma.byteCount))"),
      ("interrupts", "\(status.installedVectors.count) of \(status.interruptVectors) vectors installed"),
      ("limits", limits(status)),
      (
        "commands",
        "\(statistics.commandCount), \(statistics.failures.reduce(0) { $0 + $1.count }) failed, "
          + "\(statistics.inFlight) in flight; mean \(Quantity.time(nanoseconds: latency.mean)), "
          + "p99 \(Quantity.time(nanoseconds: latency.percentile(99)))"
      ),
      (
        "data",
        "\(Quantity.size(statistics.readBytes)) read, \(Quantity.size(statistics.writtenBytes)) written"
      ),
    ]
    if let failure = statistics.failures.max(by: { $0.count < $1.count }) {
      facts.append(("failures", "most often \(failure.name), \(failure.count) times"))
    }
    let lines = facts.map { "  " + Terminal.padded($0.0, 10) + "  " + Terminal.plain($0.1) }
    return ["\(Terminal.plain(status.name)): \(status.state.rawValue)\(client)"]
      + lines.map { Terminal.start(of: $0, columns: max(width, 40)) } + [""]
      + namespaces(status.namespaces, width: width)
  }

  /// The namespaces of a controller.
  public static func namespaces(_ namespaces: [NamespaceStatus], width: Int = 80) -> [String] {
    var table = TextTable([
      .number("NSID"), .number("SIZE"), .number("BLOCK"), .text("ACCESS"), .text("IMAGE", isFlexible: true),
    ])
    for namespace in namespaces {
      var access = namespace.isReadOnly ? "read" : "write"
      if namespace.writeCacheFailed { access += ", FLUSH FAILED" }
      table.add([
        "\(namespace.nsid)", Quantity.size(namespace.size), "\(namespace.blockSize)", access,
        namespace.image ?? "(\(namespace.backend.rawValue))",
      ])
    }
    return table.isEmpty ? ["no namespaces"] : table.lines(width: width)
  }

  /// `queue.list`.
  public static func queues(_ queues: [QueueStatus], width: Int = 80) -> [String] {
    var table = TextTable([
      .text("QUEUE"), .number("ID"), .number("SIZE"), .number("HEAD"), .number("TAIL"), .number("IN FLIGHT"),
      .text("THREAD"), .text("COMPLETES TO"), .text("INTERRUPT"),
    ])
    for queue in queues {
      table.add([
        queue.kind.rawValue, "\(queue.identifier)", "\(queue.size)", "\(queue.head)", "\(queue.tail)",
        queue.inFlight.map { "\($0)" } ?? "", queue.identifier == 0 ? "admin" : queue.thread.map { "io\($0)" } ?? "",
        queue.completionQueue.map { "queue \($0)" } ?? "",
        queue.kind == .completion ? queue.interruptVector.map { "vector \($0)" } ?? "off" : "",
      ])
    }
    return table.isEmpty ? ["no queues: no guest uses the controller"] : table.lines(width: width)
  }

  /// `dma.map`.
  public static func dma(_ status: DMAMapStatus) -> [String] {
    var table = TextTable([.number("IOVA"), .number("SIZE"), .text("ACCESS")])
    for range in status.ranges {
      let access =
        switch (range.isReadable, range.isWritable) {
        case (true, true): "read, write"
        case (true, false): "read"
        case (false, true): "write"
        case (false, false): "none"
        }
      table.add([
        "0x" + String(range.iova, radix: 16), Quantity.size(range.size), range.isReachable ? access : "no file",
      ])
    }
    let more = status.mapCount - status.ranges.count
    return table.lines() + (more > 0 ? ["and \(more) more"] : []) + [
      "\(status.mapCount) ranges, \(Quantity.size(status.byteCount)) of guest memory"
    ]
  }

  /// `errors.list`.
  public static func errors(_ entries: [ErrorLogEntryStatus], width: Int = 80) -> [String] {
    var table = TextTable([
      .number("NUMBER"), .number("SQ"), .number("COMMAND"), .number("NSID"), .number("LBA"),
      .text("STATUS", isFlexible: true),
    ])
    for entry in entries {
      table.add([
        "\(entry.errorCount)", "\(entry.submissionQueue)", "\(entry.commandIdentifier)", "\(entry.nsid)",
        "\(entry.lba)", entry.statusText,
      ])
    }
    return table.isEmpty ? ["no errors"] : table.lines(width: width)
  }

  /// Limits in words.
  static func limits(_ status: ControllerStatus) -> String {
    let limits = status.limits
    let all: [(RateLimit?, String, Bool)] = [
      (limits.operations, "", false), (limits.bytes, "", true), (limits.readOperations, " read", false),
      (limits.readBytes, " read", true), (limits.writeOperations, " write", false),
      (limits.writtenBytes, " write", true),
    ]
    let texts = all.compactMap { limit, direction, isBytes in
      limit.map { (isBytes ? Quantity.size($0.perSecond) + "/s" : "\($0.perSecond) IOPS") + direction }
    }
    guard !texts.isEmpty else { return "none" }
    return texts.joined(separator: ", ") + (status.isLimited ? "; commands wait for them now" : "")
  }

  /// How many I/O submission queues there are.
  static func ioQueueCount(_ status: ControllerStatus) -> Int {
    status.queues.count { $0.kind == .submission && $0.identifier > 0 }
  }
}
