import Glibc
import LinuxIO
import Synchronization

/// Guest memory: one file, mapped here and announced to the device in one or more ranges of addresses (IOVAs).
///
/// Any thread. It lives as long as a buffer of it does.
@safe public final class HostMemory: @unchecked Sendable {
  /// The memory page that everything here is a multiple of: 4 KiB, CC.MPS 0.
  public static let pageSize = 4096
  /// Above 4 GiB, so that an address cut to 32 bits is never a good one.
  public static let defaultIOVA: UInt64 = 1 << 32

  /// What the file behind the memory is.
  public enum Backing: Sendable {
    /// A memfd that can neither shrink nor grow, as QEMU's `memory-backend-memfd`.
    case sealed
    /// A file of `/dev/shm` that can, as QEMU's `memory-backend-file`: see `truncate(to:)`.
    case unsealed
    /// Huge pages of 2 MiB without seals, as QEMU's `memory-backend-file` in hugetlbfs: see `HugePages`.
    case huge
  }

  private enum File: ~Copyable {
    case sealed(SharedMemory)
    case unsealed(FileDescriptor, MemoryMapping)
  }

  private let file: File
  private let allocator: Locked<PageAllocator>
  /// The host's address of offset 0: byte `fileOffset` of the first range.
  let base: UnsafeMutableRawPointer

  /// The ranges that the device is told of, one DMA_MAP each. Offset 0 of the memory is the first byte of the first, and
  /// they follow each other in the file.
  public let ranges: [DMARange]
  /// Bytes of all ranges.
  public let byteCount: Int
  /// The file's number, for DMA_MAP.
  public let descriptor: Int32

  /// Memory of one range.
  ///
  /// - Parameters:
  ///   - byteCount: a multiple of 4 KiB, not 0.
  ///   - iova: the address of its first byte, a multiple of 4 KiB.
  ///   - backing: what kind of file it is.
  /// - Throws: `invalidArgument`, or `system` for what the kernel said.
  public convenience init(
    byteCount: Int, iova: UInt64 = HostMemory.defaultIOVA, backing: Backing = .sealed
  ) throws(HostError) {
    try self.init(parts: [(iova, byteCount)], backing: backing)
  }

  /// Memory of several ranges.
  ///
  /// - Parameters:
  ///   - parts: the address and the length of each range, in the order of the file; multiples of 4 KiB, not 0.
  ///   - fileOffset: bytes of the file before the first range: the device is not told of them.
  ///   - backing: what kind of file it is.
  /// - Throws: `invalidArgument`, or `system` for what the kernel said.
  public init(
    parts: [(iova: UInt64, byteCount: Int)], fileOffset: Int = 0, backing: Backing = .sealed
  ) throws(HostError) {
    let page = HostMemory.pageSize
    guard fileOffset >= 0, fileOffset % page == 0, !parts.isEmpty else {
      throw .invalidArgument("guest memory is made of pages")
    }
    var ranges: [DMARange] = []
    var windows: [Range<Int>] = []
    var total = 0
    for part in parts {
      let (_, overflow) = part.iova.addingReportingOverflow(UInt64(max(part.byteCount - 1, 0)))
      guard part.byteCount > 0, part.byteCount % page == 0, part.iova % UInt64(page) == 0, !overflow else {
        throw .invalidArgument("guest memory is made of pages")
      }
      ranges.append(
        DMARange(iova: part.iova, fileOffset: UInt64(fileOffset + total), byteCount: UInt64(part.byteCount)))
      windows.append(total / page..<(total + part.byteCount) / page)
      total += part.byteCount
    }
    self.ranges = ranges
    byteCount = total
    allocator = Locked(PageAllocator(windows: windows))
    do throws(Errno) {
      switch backing {
      case .sealed:
        let memory = try SharedMemory(name: "guest-memory", count: fileOffset + total)
        descriptor = memory.descriptor.rawValue
        unsafe base = memory.mapping.base + fileOffset
        file = .sealed(memory)
      case .unsealed, .huge:
        let created =
          backing == .huge
          ? try HugePages.file(name: "guest-memory", byteCount: fileOffset + total)
          : try HostMemory.createUnlinked(byteCount: fileOffset + total)
        descriptor = created.rawValue
        let mapping = try MemoryMapping(
          fd: descriptor, offset: 0, count: fileOffset + total, [.read, .write])
        unsafe base = mapping.base + fileOffset
        file = .unsealed(created, mapping)
      }
    } catch {
      throw .system(error)
    }
  }

  private static let nextName = Atomic<UInt64>(0)

  /// A file of `/dev/shm` without a name.
  private static func createUnlinked(byteCount: Int) throws(Errno) -> FileDescriptor {
    let number = nextName.add(1, ordering: .relaxed).newValue
    let path = "/dev/shm/guest-memory-\(getpid())-\(number)"
    let file = try FileDescriptor(path: path, flags: O_RDWR | O_CREAT | O_EXCL)
    _ = unsafe unlink(path)
    guard ftruncate(file.rawValue, byteCount) == 0 else { throw Errno.current }
    return file
  }

  /// Cuts the file, or makes it longer: what a hostile peer does to a server that has it mapped. The host must not touch
  /// its own memory beyond the end afterwards.
  ///
  /// - Throws: `system(EPERM)` where it is sealed.
  public func truncate(to byteCount: Int) throws(HostError) {
    guard ftruncate(descriptor, byteCount) == 0 else { throw .system(.current) }
  }

  // MARK: Addresses

  /// The address that the device uses for the byte at `offset`, 0 to `byteCount` - 1.
  public func iova(at offset: Int) -> UInt64 {
    precondition(offset >= 0 && offset < byteCount)
    var rest = UInt64(offset)
    for range in ranges {
      if rest < range.byteCount { return range.iova + rest }
      rest -= range.byteCount
    }
    preconditionFailure("the ranges make up the memory")
  }

  /// The offset of the byte that the device knows as `iova`; nil where no range has it.
  public func offset(of iova: UInt64) -> Int? {
    var start = 0
    for range in ranges {
      if iova >= range.iova, iova - range.iova < range.byteCount { return start + Int(iova - range.iova) }
      start += Int(range.byteCount)
    }
    return nil
  }

  // MARK: Allocation

  /// Takes pages; they are zeros. They stay taken until `free`, as the device may write to them long after the host has
  /// lost sight of them.
  ///
  /// - Parameters:
  ///   - byteCount: rounded up to pages; not 0.
  ///   - contiguous: whether it must lie in one range, so that its addresses follow each other for the device as they
  ///     do here.
  /// - Throws: `outOfMemory`.
  public func allocate(_ byteCount: Int, contiguous: Bool = true) throws(HostError) -> HostBuffer {
    let page = HostMemory.pageSize
    guard byteCount > 0, byteCount <= self.byteCount else { throw .outOfMemory }
    let count = (byteCount + page - 1) / page
    guard let first = allocator.withLock({ $0.allocate(count, acrossWindows: !contiguous) }) else { throw .outOfMemory }
    unsafe (base + first * page).initializeMemory(as: UInt8.self, repeating: 0, count: count * page)
    return HostBuffer(memory: self, offset: first * page, count: byteCount)
  }

  /// Gives the pages of an allocated buffer back. A page that is free already is a mistake of the program, and traps.
  public func free(_ buffer: HostBuffer) {
    let page = HostMemory.pageSize
    let pages = buffer.offset / page..<(buffer.offset + buffer.count + page - 1) / page
    allocator.withLock { $0.free(pages) }
  }

  /// How many bytes are free, in whatever pieces.
  public var freeByteCount: Int { allocator.withLock { $0.freeCount } * HostMemory.pageSize }
}
