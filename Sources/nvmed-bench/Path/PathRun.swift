import CPathReference
import Glibc
import LinuxIO
import NVMeController
import Storage

/// A completion of the path bench is not what it should be.
struct WrongCompletion: Error, CustomStringConvertible {
  let description: String
}

/// One measurement: a side, what its commands ask for, and what the namespace is kept in.
struct PathRun {
  /// Who does the work.
  enum Side: String, CaseIterable {
    /// nvmed's I/O engine.
    case swift
    /// The reference.
    case c
  }

  /// What the namespace is kept in.
  enum Storage: String, CaseIterable {
    /// Nothing: a command completes at once. It shows the way from submission to completion entry alone.
    case null
    /// A file that costs no device: /dev/zero, by io_submit and the ring of completions.
    case file
  }

  /// Commands in flight at most.
  private static var requestCount: Int { 256 }

  let side: Side
  let storage: Storage
  let kind: PathCase
  let bursts: Int
  let burst: Int

  /// The burst is part of it where it is not the usual one.
  var name: String { "\(side) \(storage) \(kind.rawValue)" + (burst == 32 ? "" : "-burst-\(burst)") }

  /// - Returns: ns of CPU time of all the bursts.
  /// - Throws: `Errno`, `IOEngineError`, `WrongCompletion`.
  func run() throws -> UInt64 {
    let memory = try PathMemory(kind)
    let file = try FileDescriptor(path: "/dev/zero", flags: O_RDWR)
    let interrupt = try EventFD()
    switch side {
    case .swift: return try runSwift(memory, file: file.rawValue, interrupt: interrupt.rawValue)
    case .c: return try runReference(memory, file: file.rawValue, interrupt: interrupt.rawValue)
    }
  }

  /// Blocks of the namespace.
  private var blockCount: UInt64 { UInt64(PathMemory.queueSize * kind.length / PathMemory.blockSize) }

  private func runSwift(_ memory: borrowing PathMemory, file: Int32, interrupt: Int32) throws -> UInt64 {
    var engine = try EngineHarness.make(requestCount: PathRun.requestCount, queueSize: PathMemory.queueSize)
    for region in memory.regions { engine.map(region) }
    engine.setNamespace(
      storage == .file ? .file(fd: file) : .null, blockShift: UInt64(PathMemory.blockSize.trailingZeroBitCount),
      blockCount: blockCount, alignmentMask: UInt(PathMemory.blockSize - 1))
    guard
      let (tail, head) = engine.createQueues(
        submission: PathMemory.submissionQueue, completion: PathMemory.completionQueue, interrupt: interrupt)
    else { throw WrongCompletion(description: "\(name): no doorbells") }
    return try measure(memory, PathHost(tail: tail, head: head)) { engine.round() }
  }

  private func runReference(_ memory: borrowing PathMemory, file: Int32, interrupt: Int32) throws -> UInt64 {
    let doorbells = try MemoryMapping(anonymous: 4096)
    let completion = try EventFD()
    let regions = unsafe memory.referenceRegions
    var setup = unsafe path_setup()
    unsafe setup.region_count = regions.count
    unsafe setup.submission_iova = PathMemory.submissionQueue
    unsafe setup.completion_iova = PathMemory.completionQueue
    unsafe setup.entries = UInt32(PathMemory.queueSize)
    unsafe setup.requests = UInt32(PathRun.requestCount)
    unsafe setup.tail = doorbells.base
    unsafe setup.head = doorbells.base + 4
    unsafe setup.interrupt = interrupt
    unsafe setup.completion = completion.rawValue
    unsafe setup.file = storage == .file ? file : -1
    unsafe setup.block_shift = UInt32(PathMemory.blockSize.trailingZeroBitCount)
    unsafe setup.block_count = blockCount
    unsafe setup.maximum_transfer = UInt64(EngineHarness.maximumTransfer)
    unsafe setup.alignment_mask = UInt(PathMemory.blockSize - 1)
    guard let controller = unsafe path_create(&setup, regions) else { throw Errno.current }
    defer { unsafe path_destroy(controller) }
    let host = unsafe PathHost(tail: SharedWord(at: doorbells.base), head: SharedWord(at: doorbells.base + 4))
    return try measure(memory, host) { unsafe path_round(controller) }
  }

  private func measure(_ memory: borrowing PathMemory, _ host: PathHost, _ round: () -> Void) throws -> UInt64 {
    var host = host
    guard host.check(memory, burst: burst, round) else {
      throw WrongCompletion(description: "\(name): a command did not complete as it should")
    }
    return host.run(bursts: bursts, of: burst, round)
  }
}
