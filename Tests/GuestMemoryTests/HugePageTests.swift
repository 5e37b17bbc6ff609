import CLinux
import Glibc
import LinuxIO
import NVMeHost
import Testing

@testable import GuestMemory

/// A guest in huge pages, which are mapped as wholes and replaced as wholes.
@Suite(.enabled(if: HugePages.isPossible, "to reserve huge pages needs root, and memory"))
struct HugePageTests {
  private static let page = HugePages.byteCount

  private static func load(_ map: inout MemoryMap, _ address: Int) -> UInt64? {
    var value: UInt64 = 0
    let isMapped = withUnsafeMutableBytes(of: &value) { map.read(UInt64(address), into: $0) }
    return isMapped ? value : nil
  }

  /// A range that begins and ends inside huge pages, one of which goes.
  @Test func whatIsCutReadsZeros() throws {
    let pages = try HugePages(4)
    let name = "huge-cut"
    let file = try HugePages.file(name: name, byteCount: 4 * Self.page)
    let view = try MemoryMapping(fd: file.rawValue, offset: 0, count: 4 * Self.page, [.read, .write])
    for offset in stride(from: 0, to: view.count, by: 4096) {
      view.base.storeBytes(of: UInt64(offset), toByteOffset: offset, as: UInt64.self)
    }
    let budget = MappingBudget(total: 4)
    var table = try DMATable(limit: 2, budget: budget)
    var map = MemoryMap()
    let first = Self.page + 4096
    let size = 2 * Self.page + 8192
    let region = try table.map(
      iova: 0, size: UInt64(size), descriptor: try file.duplicate(), offset: UInt64(first), access: [.read, .write])
    map.insert(try #require(region))
    for address in [0, 4096, Self.page - 8192, Self.page - 4096, 2 * Self.page, size - 4096] {
      #expect(Self.load(&map, address) == UInt64(first + address))
    }
    #expect(try mappings(ofFileNamed: name) == 2)

    #expect(ftruncate(file.rawValue, 2 * Self.page) == 0)
    // The kernel says so in place of a signal.
    let zero = try FileDescriptor(path: "/dev/zero", flags: O_RDWR)
    let address = map.contiguous(UInt64(Self.page), length: 512, access: .write)
    #expect(read(zero.rawValue, address, 512) == -1 && errno == EFAULT)
    #expect(Self.load(&map, Self.page - 8192) == UInt64(2 * Self.page - 4096), "what is left can still be read")
    #expect(table.faultEvent.drain() == 0)
    #expect(Self.load(&map, Self.page + 4096) == 0)
    #expect(table.faultEvent.drain() == 1)
    #expect(Self.load(&map, size - 4096) == 0)
    #expect(withUnsafeBytes(of: 1 as UInt64) { map.write(0, from: $0) })
    #expect(table.faultEvent.drain() == 0, "all of the range was replaced at once")
    #expect(view.base.load(fromByteOffset: first, as: UInt64.self) == UInt64(first), "the file was not written to")

    #expect(budget.freeCount == 3)
    let count = table.takeFaulted().count
    #expect(count == 1 && budget.freeCount == 4)
    #expect(try mappings(ofFileNamed: name) == 1, "the huge page that was left, too")
    #expect(openDescriptors(ofTheFileBehind: file.rawValue) == 1)
    withExtendedLifetime(pages) {}
  }

  /// More than there is: the kernel reserves huge pages when they are mapped.
  @Test func withoutEnoughOfThemNothingIsMapped() throws {
    let file = try HugePages.file(name: "huge-many", byteCount: Self.page << 20)
    let budget = MappingBudget(total: 4)
    var table = try DMATable(limit: 1, budget: budget)
    #expect(throws: Errno.outOfMemory) {
      try table.map(iova: 0, size: 1 << 41, descriptor: try file.duplicate(), offset: 0, access: [.read, .write])
    }
    #expect(budget.freeCount == 4 && table.count == 0)
    #expect(openDescriptors(ofTheFileBehind: file.rawValue) == 1)
  }

  /// Where the whole range cannot be replaced, it is one huge page at a time: less than one cannot be.
  @Test(.disabled(if: isSanitized, "a sanitizer has mlockall(2) do nothing"))
  func whereMemoryIsShortOneOfThemIsReplaced() async throws {
    let pages = try HugePages(20)
    await #expect(processExitsWith: .success) {
      let count = 20
      let file = try HugePages.file(name: "huge-large", byteCount: count * HugePages.byteCount)
      var table = try DMATable(limit: 1)
      var map = MemoryMap()
      let size = count * HugePages.byteCount
      let region = try table.map(
        iova: 0, size: UInt64(size), descriptor: try file.duplicate(), offset: 0, access: [.read, .write])
      guard let region else { exit(2) }
      map.insert(region)
      guard ftruncate(file.rawValue, 0) == 0 else { exit(3) }
      guard lockNewMappings(atMost: 32 << 20) else { exit(4) }
      for (places, faults) in [
        ([0, 5, 4096, HugePages.byteCount - 8], 1), ([HugePages.byteCount], 1), ([size / 2, size - 8], 2),
        ([8, size / 2 + 4096], 0),
      ] as [([Int], UInt64)] {
        for place in places { guard HugePageTests.load(&map, place) == 0 else { exit(5) } }
        guard table.faultEvent.drain() == faults else { exit(6) }
      }
      guard table.takeFaulted().count == 1 else { exit(7) }
    }
    withExtendedLifetime(pages) {}
  }
}
