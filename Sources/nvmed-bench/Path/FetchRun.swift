import LinuxIO
import NVMeController
import NVMeSpec
import Storage

/// One command of each kind, each fetched once.
struct FetchRun {
  /// Blocks of the namespace.
  static var blockCount: UInt64 { 4096 }

  /// What the device has to load exactly once: first byte in this process, bytes, what it is.
  struct Range: CustomStringConvertible {
    let iova: UInt64
    let count: Int
    let name: String

    var description: String {
      "\(String(UInt64(FetchMemory.address) + iova - FetchMemory.queue, radix: 16)) \(count) \(name)"
    }
  }

  /// - Throws: `Errno`, `IOEngineError`, `WrongCompletion`.
  func run() throws -> [Range] {
    let memory = try FetchMemory()
    let interrupt = try EventFD()
    let disk = try MemoryMapping(anonymous: Int(FetchRun.blockCount) * PathMemory.blockSize)
    var engine = try EngineHarness.make(requestCount: 64, queueSize: 64)
    engine.map(memory.region)
    unsafe engine.setNamespace(
      .memory(base: disk.base, count: disk.count), blockShift: UInt64(PathMemory.blockSize.trailingZeroBitCount),
      blockCount: FetchRun.blockCount, alignmentMask: UInt(PathMemory.blockSize - 1))
    guard
      let (tail, _) = engine.createQueues(
        submission: FetchMemory.queue, completion: FetchMemory.completionQueue, interrupt: interrupt.rawValue)
    else { throw WrongCompletion(description: "no doorbells") }
    var ranges: [Range] = []
    let cases = FetchCase.all
    for (place, entry) in cases.enumerated() {
      var command = entry.command
      command.commandIdentifier = UInt16(place)
      memory.store(command, place: place)
      for (iova, words) in entry.words {
        memory.store(words, at: iova)
        ranges.append(Range(iova: iova, count: words.count * 8, name: entry.name))
      }
      // Opcode and namespace; data pointer and dwords 10 to 13. The rest is not looked at.
      let iova = FetchMemory.queue + UInt64(place * SubmissionQueueEntry.byteCount)
      for word in [0..<8, 24..<56] {
        ranges.append(Range(iova: iova + UInt64(word.lowerBound), count: word.count, name: entry.name))
      }
    }
    // All at once, as one burst.
    tail.store(UInt32(cases.count))
    engine.round()
    for (place, entry) in cases.enumerated() {
      let completion = memory.completion(place)
      guard Int(completion.commandIdentifier) == place, completion.phaseTag, completion.status == entry.status else {
        throw WrongCompletion(description: "\(entry.name): \(completion)")
      }
    }
    withExtendedLifetime(disk) {}
    withExtendedLifetime(interrupt) {}
    return ranges
  }
}
