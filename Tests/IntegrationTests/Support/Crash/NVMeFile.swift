import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Synchronization

/// A namespace as a file: reads, writes, syncs and holes become commands on the queues of a host.
final class NVMeFile: FUSEFileContent {
  private struct Unit: ~Copyable {
    var queue: HostQueue
    let data: HostBuffer
  }

  private final class Lane: Sendable {
    let unit: Locked<Unit?>
    init(_ unit: consuming Unit) { self.unit = Locked(unit) }
  }

  private static let transfer = 128 << 10
  private let lanes: [Lane]
  private let next = Atomic(0)
  /// A queue's interrupt is an eventfd.
  private let threads: HelperThreads
  private let blockByteCount: Int
  let byteCount: Int

  /// The first namespace of a host's controller, through queues 1 to `queueCount`, which are made here.
  init(_ host: HostController, queueCount: Int) throws {
    let namespace = try host.namespace(1)
    blockByteCount = namespace.blockByteCount
    byteCount = Int(namespace.blockCount) * namespace.blockByteCount
    var lanes: [Lane] = []
    for number in 1...queueCount {
      let data = try host.memory.allocate(NVMeFile.transfer)
      lanes.append(Lane(Unit(queue: try host.createQueue(UInt16(number), depth: 8, vector: 1), data: data)))
    }
    self.lanes = lanes
    threads = try HelperThreads(count: queueCount)
  }

  func read(_ range: Range<Int>) throws(Errno) -> [UInt8] {
    var bytes: [UInt8] = []
    for piece in try pieces(range) {
      let (slba, blocks) = (UInt64(piece.lowerBound / blockByteCount), piece.count / blockByteCount)
      bytes += try withUnit { (unit) throws(HostError) in
        let status = try unit.queue.read(slba: slba, blocks: blocks, into: unit.data[0..<piece.count]).status
        return (status, unit.data[0..<piece.count].bytes)
      }
    }
    return bytes
  }

  func write(_ bytes: ArraySlice<UInt8>, at offset: Int, isForced: Bool) throws(Errno) {
    guard offset + bytes.count <= byteCount else { throw Errno(rawValue: ENOSPC) }
    for piece in try pieces(offset..<offset + bytes.count) {
      let (slba, blocks) = (UInt64(piece.lowerBound / blockByteCount), piece.count / blockByteCount)
      let start = bytes.startIndex + piece.lowerBound - offset
      let part = Array(bytes[start..<start + piece.count])
      try withUnit { (unit) throws(HostError) in
        unit.data.store(part)
        let data = unit.data[0..<piece.count]
        return (try unit.queue.write(slba: slba, blocks: blocks, from: data, forceUnitAccess: isForced).status, ())
      }
    }
  }

  func sync() throws(Errno) {
    try withUnit { (unit) throws(HostError) in (try unit.queue.flush().status, ()) }
  }

  func clear(_ range: Range<Int>, deallocates: Bool) throws(Errno) {
    let limit = 65_536
    var block = range.lowerBound / blockByteCount
    let end = range.upperBound / blockByteCount
    while block < end {
      let count = min(end - block, limit)
      try withUnit { [block] (unit) throws(HostError) in
        (try unit.queue.writeZeroes(slba: UInt64(block), blocks: count, deallocate: deallocates).status, ())
      }
      block += count
    }
  }

  /// The pieces of a range, each for a command.
  private func pieces(_ range: Range<Int>) throws(Errno) -> [Range<Int>] {
    guard range.lowerBound % blockByteCount == 0, range.upperBound % blockByteCount == 0 else {
      throw .invalidArgument
    }
    return stride(from: range.lowerBound, to: range.upperBound, by: NVMeFile.transfer).map {
      $0..<min($0 + NVMeFile.transfer, range.upperBound)
    }
  }

  /// What a body gives with a command that succeeds.
  @discardableResult
  private func withUnit<Result: Sendable>(
    _ body: @escaping @Sendable (inout Unit) throws(HostError) -> (Status, Result)
  ) throws(Errno) -> Result {
    let lane = lanes[next.add(1, ordering: .relaxed).oldValue % lanes.count]
    let answer = threads.run {
      lane.unit.withLock { slot -> (Status, Result)? in
        guard var unit = slot.take() else { return nil }
        let answer = try? body(&unit)
        slot = consume unit
        return answer
      }
    }
    guard let answer, answer.0.isSuccess else { throw .inputOutput }
    return answer.1
  }
}
