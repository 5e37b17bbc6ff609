import CLinux
import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import GuestMemory

/// A file of shared memory as a VMM makes it: without seals, so that it can be cut short.
func unsealedMemory(name: String, count: Int) throws -> FileDescriptor {
  let number = clinux_memfd_create(name, UInt32(CLINUX_MFD_CLOEXEC))
  guard number >= 0 else { throw Errno.current }
  let descriptor = FileDescriptor(owning: number)
  guard ftruncate(number, count) == 0 else { throw Errno.current }
  return descriptor
}

/// How many descriptors of this process are open on the file behind `fd`: a leak shows, whatever else runs beside.
func openDescriptors(ofTheFileBehind fd: Int32) -> Int {
  var wanted = stat()
  guard fstat(fd, &wanted) == 0, let directory = opendir("/proc/self/fd") else { return -1 }
  defer { closedir(directory) }
  var count = 0
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    guard let number = Int32(name) else { continue }
    var status = stat()
    if fstat(number, &status) == 0, status.st_dev == wanted.st_dev, status.st_ino == wanted.st_ino { count += 1 }
  }
  return count
}

/// How many mappings of this process are of the file with this name.
func mappings(ofFileNamed name: String) throws -> Int {
  guard let maps = fopen("/proc/self/maps", "re") else { throw Errno.current }
  defer { fclose(maps) }
  var line = [CChar](repeating: 0, count: 4096)
  var count = 0
  while fgets(&line, Int32(line.count), maps) != nil {
    let text = line.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if text.contains("memfd:" + name + " ") { count += 1 }
  }
  return count
}

/// Whether the process runs with AddressSanitizer or ThreadSanitizer.
let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

/// Has all new mappings of the process locked, of which it may have so many bytes: for one that ends soon.
func lockNewMappings(atMost byteCount: rlim_t) -> Bool {
  let locked = __rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue)
  var limit = rlimit()
  guard getrlimit(locked, &limit) == 0 else { return false }
  limit.rlim_max = min(limit.rlim_max, byteCount)
  limit.rlim_cur = limit.rlim_max
  // (root may lock whatever it likes)
  return setrlimit(locked, &limit) == 0 && mlockall(Int32(MCL_FUTURE)) == 0 && (geteuid() != 0 || setuid(65_534) == 0)
}

/// A generator whose numbers are the same in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// A stretch of host memory that a walk came to.
struct Piece: Equatable, CustomStringConvertible {
  /// Bytes from the start of the guest's host memory.
  let offset: Int
  let length: Int

  init(_ offset: Int, _ length: Int) {
    self.offset = offset
    self.length = length
  }

  var description: String { "\(String(offset, radix: 16))h+\(length)" }
}

/// What a walk gave.
struct Walked: Equatable {
  let status: Status
  let pieces: [Piece]

  init(_ status: Status, _ pieces: [Piece] = []) {
    self.status = status
    self.pieces = pieces
  }
}

/// A guest without a file behind its memory: pages of this process, mapped to I/O virtual addresses as a test says.
final class Guest {
  static let page = 4096

  let host: MemoryMapping
  var map = MemoryMap()
  /// Host page of the bit bucket: the last 64.
  let bitBucket: Int
  private let iovecs: UnsafeMutablePointer<iovec>
  private let capacity: Int

  /// Host memory of `pages` pages, none of them mapped.
  ///
  /// - Parameter capacity: the pieces that a walk can give.
  init(pages: Int, capacity: Int = 1024) throws {
    host = try MemoryMapping(anonymous: (pages + 64) * Guest.page)
    bitBucket = pages * Guest.page
    self.capacity = capacity
    iovecs = .allocate(capacity: capacity + 1)
    // Where nothing may be written.
    iovecs[capacity] = iovec(iov_base: nil, iov_len: 4711)
  }

  deinit {
    #expect(iovecs[capacity].iov_len == 4711, "a walk wrote behind the array that it was lent")
    iovecs.deallocate()
  }

  /// Maps host pages from `page` on at `iova`.
  func map(_ iova: UInt64, page: Int, count: Int = 1, access: MemoryRegion.Access = [.read, .write]) {
    map.insert(
      MemoryRegion(
        iova: iova, size: UInt64(count * Guest.page), host: host.base + page * Guest.page, access: access))
  }

  /// Maps a range that came without a file.
  func mapUnreachable(_ iova: UInt64, count: Int = 1) {
    map.insert(MemoryRegion(iova: iova, size: UInt64(count * Guest.page), host: nil, access: []))
  }

  /// Copies guest memory; nil where part of it is not mapped for reading.
  func read(_ iova: UInt64, count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    let isMapped = bytes.withUnsafeMutableBytes { map.read(iova, into: $0) }
    return isMapped ? bytes : nil
  }

  /// Copies to guest memory; false where part of it is not mapped for writing.
  func write(_ iova: UInt64, _ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { map.write(iova, from: $0) } }

  /// Stores numbers one after the other in host memory.
  func store(_ numbers: [UInt64], at offset: Int) {
    for (index, number) in numbers.enumerated() {
      host.base.storeBytes(of: number.littleEndian, toByteOffset: offset + index * 8, as: UInt64.self)
    }
  }

  /// Stores SGL descriptors one after the other in host memory.
  func store(_ descriptors: [SGLDescriptor], at offset: Int) {
    store(descriptors.flatMap { [$0.address, $0.word1] }, at: offset)
  }

  /// Walks the PRPs of a command.
  func prp(_ prp1: UInt64, _ prp2: UInt64 = 0, _ length: Int, access: MemoryRegion.Access = .write) -> Walked {
    var list = SegmentList(iovecs, capacity: capacity)
    let status = PRPWalk.translate(
      prp1: prp1, prp2: prp2, length: UInt64(length), access: access, memory: &map, into: &list)
    return walked(status, list)
  }

  /// Walks the SGL of a command.
  func sgl(_ first: SGLDescriptor, _ length: Int, access: MemoryRegion.Access = .write) -> Walked {
    var list = SegmentList(iovecs, capacity: capacity)
    let status = SGLWalk.translate(
      first, length: UInt64(length), access: access, memory: &map, bitBucket: host.base + bitBucket, into: &list)
    return walked(status, list)
  }

  private func walked(_ status: Status, _ list: SegmentList) -> Walked {
    // After a failure the pieces mean nothing.
    guard status == .success else { return Walked(status) }
    let pieces = (0..<list.count).map {
      Piece((iovecs[$0].iov_base ?? host.base) - host.base, iovecs[$0].iov_len)
    }
    #expect(list.byteCount == pieces.reduce(0) { $0 + UInt64($1.length) })
    return Walked(status, pieces)
  }
}
