import GuestMemory
import Glibc
import LinuxIO
import NVMeSpec

/// Guest memory at a fixed address of this process, so that a trace of its loads can be told from that of all others.
@safe struct FetchMemory: ~Copyable {
  /// Where it lies in this process; scripts/double-fetch knows it.
  static var address: UInt { 0x2_0000_0000 }
  static var byteCount: Int { 64 * 4096 }
  /// I/O virtual addresses: the submission queue, the lists, and what is read as a whole or only written to.
  static var queue: UInt64 { 0x10_0000 }
  static var lists: UInt64 { 0x10_1000 }
  /// Where the lists end.
  static var listsEnd: UInt64 { 0x11_0000 }
  static var completionQueue: UInt64 { 0x11_0000 }
  static var data: UInt64 { 0x12_0000 }

  private let base: UnsafeMutableRawPointer

  /// - Throws: `EEXIST` where something else is there.
  init() throws(Errno) {
    let noReplace: Int32 = 0x100000
    let found = unsafe mmap(
      UnsafeMutableRawPointer(bitPattern: FetchMemory.address), FetchMemory.byteCount, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | noReplace, -1, 0)
    guard let found = unsafe found, unsafe found != MAP_FAILED else { throw .current }
    guard UInt(bitPattern: found) == FetchMemory.address else { throw .fileExists }
    unsafe base = found
  }

  deinit { unsafe munmap(base, FetchMemory.byteCount) }

  /// All of it, as nvmed is told of it.
  var region: MemoryRegion {
    unsafe MemoryRegion(
      iova: FetchMemory.queue, size: UInt64(FetchMemory.byteCount), host: base, access: [.read, .write])
  }

  /// Stores words; nothing is ever loaded here.
  func store(_ words: [UInt64], at iova: UInt64) {
    for (index, word) in words.enumerated() {
      unsafe base.storeBytes(of: word, toByteOffset: Int(iova - FetchMemory.queue) + index * 8, as: UInt64.self)
    }
  }

  /// Stores a command in the queue.
  func store(_ command: SubmissionQueueEntry, place: Int) {
    unsafe base.storeBytes(
      of: command, toByteOffset: place * SubmissionQueueEntry.byteCount, as: SubmissionQueueEntry.self)
  }

  /// The completion at a place of its queue.
  func completion(_ place: Int) -> CompletionQueueEntry {
    let offset = Int(FetchMemory.completionQueue - FetchMemory.queue) + place * CompletionQueueEntry.byteCount
    let word1 = unsafe base.load(fromByteOffset: offset + 8, as: UInt64.self)
    return unsafe CompletionQueueEntry(base.load(fromByteOffset: offset, as: UInt64.self), word1)
  }
}
