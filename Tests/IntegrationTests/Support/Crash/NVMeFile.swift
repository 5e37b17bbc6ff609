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
  }

  func read(_ range: Range<Int>) throws(Errno) -> [UInt8] {
    var bytes: [UInt8] = []
    try pieces(range) { (unit, piece) throws(HostError) in
      let status = try unit.queue.read(
        slba: UInt64(piece.lowerBound / blockByteCount), blocks: piece.count / blockByteCount,
        into: unit.data[0..<piece.count]
      ).status
      bytes += unit.data[0..<piece.count].bytes
      return status
    }
    return bytes
  }

  func write(_ bytes: ArraySlice<UInt8>, at offset: Int, isForced: Bool) throws(Errno) {
    try pieces(offset..<offset + bytes.count) { (unit, piece) throws(HostError) in
      let start = bytes.startIndex + piece.lowerBound - offset
      unit.data.store(Array(bytes[start..<start + piece.count]))
      return try unit.queue.write(
        slba: UInt64(piece.lowerBound / blockByteCount), blocks: piece.count / blockByteCount,
        from: unit.data[0..<piece.count], forceUnitAccess: isForced
      ).status
    }
  }

  func sync() throws(Errno) {
    try withUnit { (unit) throws(HostError) in try unit.queue.flush().status }
  }

  func clear(_ range: Range<Int>, deallocates: Bool) throws(Errno) {
    let limit = 65_536
    var block = range.lowerBound / blockByteCount
    let end = range.upperBound / blockByteCount
    while block < end {
      let count = min(end - block, limit)
      try withUnit { (unit) throws(HostError) in
        try unit.queue.writeZeroes(slba: UInt64(block), blocks: count, deallocate: deallocates).status
      }
      block += count
    }
  }

  /// A command for each piece of a range, one after the other.
  private func pieces(
    _ range: Range<Int>, _ body: (inout Unit, Range<Int>) throws(HostError) -> Status
  ) throws(Errno) {
    guard range.lowerBound % blockByteCount == 0, range.upperBound % blockByteCount == 0 else {
      throw .invalidArgument
    }
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(start + NVMeFile.transfer, range.upperBound)
      try withUnit { (unit) throws(HostError) in try body(&unit, start..<end) }
      start = end
    }
  }

  private func withUnit(_ body: (inout Unit) throws(HostError) -> Status) throws(Errno) {
    let number = next.add(1, ordering: .relaxed).oldValue % lanes.count
    let status = lanes[number].unit.withLock { slot -> Status? in
      guard var unit = slot.take() else { return nil }
      let status = try? body(&unit)
      slot = consume unit
      return status
    }
    guard let status, status.isSuccess else { throw .inputOutput }
  }
}
