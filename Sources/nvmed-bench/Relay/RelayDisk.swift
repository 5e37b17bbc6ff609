import Glibc
import LinuxIO

/// A file by libaio, with a buffer for each request in flight. One thread.
struct RelayDisk: ~Copyable, Sendable {
  private let file: FileDescriptor
  private let memory: MemoryMapping
  private let byteCount: Int
  private let isWrite: Bool
  private var context: AIOContext

  /// - Parameters:
  ///   - file: open with `O_DIRECT`.
  ///   - signal: the eventfd for completions.
  init(
    file: consuming FileDescriptor, pattern: IOPattern, depth: Int, byteCount: Int, signal: Int32, submitLimit: Int
  ) throws {
    // Shared, as guest memory is: huge pages of private memory would be another disk.
    let shared = try SharedMemory(name: "relay", count: depth * byteCount)
    let memory = try MemoryMapping(
      fd: shared.descriptor.rawValue, offset: 0, count: depth * byteCount, [.read, .write])
    unsafe memset(memory.base, 0x5a, depth * byteCount)
    context = try AIOContext(capacity: depth, eventfd: signal, submitLimit: submitLimit)
    self.memory = memory
    self.file = file
    self.byteCount = byteCount
    isWrite = pattern.opcode == .write
  }

  /// Prepares a transfer of the buffer of this slot.
  mutating func prepare(slot: Int, place: UInt32) {
    var part = unsafe iovec(iov_base: memory.base + slot * byteCount, iov_len: byteCount)
    let offset = Int64(place) * Int64(byteCount)
    let cookie = UInt64(slot)
    if isWrite {
      unsafe context.prepareWrite(
        slot: slot, fd: file.rawValue, iovecs: &part, count: 1, offset: offset, cookie: cookie, dataSync: false)
    } else {
      unsafe context.prepareRead(
        slot: slot, fd: file.rawValue, iovecs: &part, count: 1, offset: offset, cookie: cookie)
    }
  }

  /// Hands what was prepared to the kernel.
  mutating func submit() {
    guard context.submit() == 0 else { fatalError("the file refuses a request") }
  }

  /// The slot of a request that is over.
  mutating func nextCompletion() -> Int? {
    guard let completion = context.nextCompletion() else { return nil }
    guard completion.result == Int64(byteCount) else { fatalError("a request failed: \(completion.result)") }
    return Int(completion.cookie)
  }

  /// Requests that the file has.
  var inFlight: Int { context.inFlight }
}

/// Hands a disk to the thread that uses it.
final class DiskBox: Sendable {
  private let content: Locked<RelayDisk?>

  init(_ disk: consuming RelayDisk) { content = Locked(disk) }

  /// The disk, once.
  func take() -> RelayDisk? { content.withLock { $0.take() } }
}
