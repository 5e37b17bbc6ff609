import CPathReference
import GuestMemory
import LinuxIO
import NVMeSpec

/// Guest memory of the path bench: the queues below 4 GiB, the data above it, as guests have it.
@safe struct PathMemory: ~Copyable {
  /// Entries of each queue.
  static var queueSize: Int { 128 }
  /// Bytes of a logical block.
  static var blockSize: Int { 512 }
  /// I/O virtual addresses.
  static var submissionQueue: UInt64 { 0x10_0000 }
  static var completionQueue: UInt64 { 0x10_4000 }
  private static var low: UInt64 { 0x10_0000 }
  private static var high: UInt64 { 0x1_0000_0000 }

  private let queues: MemoryMapping
  private let data: MemoryMapping

  /// Memory with a queue full of commands, of which the host announces as many at a time as it likes.
  init(_ kind: PathCase) throws(Errno) {
    let queues = try MemoryMapping(anonymous: 1 << 20)
    let data = try MemoryMapping(anonymous: PathMemory.queueSize * PathCase.pagesPerCommand * 4096)
    self.queues = queues
    self.data = data
    fill(kind)
  }

  private func fill(_ kind: PathCase) {
    for place in 0..<PathMemory.queueSize {
      let pages = PathMemory.high + UInt64(place * PathCase.pagesPerCommand * 4096)
      let data = unsafe data.base
      let command = kind.command(place, pages: pages) { value, address in
        unsafe data.storeBytes(of: value, toByteOffset: Int(address - PathMemory.high), as: UInt64.self)
      }
      unsafe queues.base.storeBytes(
        of: command, toByteOffset: place * SubmissionQueueEntry.byteCount, as: SubmissionQueueEntry.self)
    }
  }

  /// The ranges, in ascending order, as nvmed is told of them.
  var regions: [MemoryRegion] {
    unsafe [
      MemoryRegion(
        iova: PathMemory.low, size: UInt64(queues.count), host: queues.base, access: [.read, .write]),
      MemoryRegion(iova: PathMemory.high, size: UInt64(data.count), host: data.base, access: [.read, .write]),
    ]
  }

  /// The same ranges as the reference is told of them.
  var referenceRegions: [path_region] {
    let access = UInt32(PATH_READ | PATH_WRITE)
    return unsafe [
      path_region(
        iova: PathMemory.low, size: UInt64(queues.count), host: queues.base.assumingMemoryBound(to: UInt8.self),
        access: access),
      path_region(
        iova: PathMemory.high, size: UInt64(data.count), host: data.base.assumingMemoryBound(to: UInt8.self),
        access: access),
    ]
  }

  /// An entry of the completion queue.
  func completion(_ index: Int) -> CompletionQueueEntry {
    let offset = Int(PathMemory.completionQueue - PathMemory.low) + index * CompletionQueueEntry.byteCount
    let word1 = unsafe queues.base.load(fromByteOffset: offset + 8, as: UInt64.self)
    return unsafe CompletionQueueEntry(queues.base.load(fromByteOffset: offset, as: UInt64.self), word1)
  }
}
