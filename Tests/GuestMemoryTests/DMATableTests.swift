import CLinux
import Glibc
import LinuxIO
import Testing

@testable import GuestMemory

/// A table and what tests do with it.
private struct Table: ~Copyable {
  var table: DMATable

  init(limit: Int = 64) throws { table = try DMATable(limit: limit) }

  /// Maps a range of a file, whose descriptor is duplicated as a message would.
  mutating func map(
    _ iova: UInt64, _ size: UInt64, _ file: borrowing FileDescriptor, offset: UInt64 = 0,
    access: MemoryRegion.Access = [.read, .write]
  ) throws(Errno) -> MemoryRegion? {
    try table.map(iova: iova, size: size, descriptor: try file.duplicate(), offset: offset, access: access)
  }

  /// Why a range cannot be mapped.
  mutating func refusal(
    _ iova: UInt64, _ size: UInt64, _ file: borrowing FileDescriptor, offset: UInt64 = 0,
    access: MemoryRegion.Access = [.read, .write]
  ) -> Errno? {
    do throws(Errno) {
      _ = try map(iova, size, file, offset: offset, access: access)
      return nil
    } catch {
      return error
    }
  }

  /// Maps a range that came without a file.
  mutating func mapWithoutFile(_ iova: UInt64, _ size: UInt64, offset: UInt64 = 0) -> Errno? {
    do throws(Errno) {
      _ = try table.map(iova: iova, size: size, descriptor: nil, offset: offset, access: [.read, .write])
      return nil
    } catch {
      return error
    }
  }

  /// How many ranges an unmap takes out.
  mutating func unmap(_ iova: UInt64, _ size: UInt64) throws(Errno) -> Int {
    try table.unmap(iova: iova, size: size).count
  }

  /// Why a range cannot be unmapped.
  mutating func unmapRefusal(_ iova: UInt64, _ size: UInt64) -> Errno? {
    do throws(Errno) {
      _ = try table.unmap(iova: iova, size: size)
      return nil
    } catch {
      return error
    }
  }

  /// First addresses of the ranges.
  var addresses: [UInt64] { table.regions.map(\.iova) }
}

private let page: UInt64 = 4096
/// The last page that there is.
private let topPage = UInt64.max - 4095

@Suite final class DMATableTests {
  private let file: SharedMemory

  init() throws { file = try SharedMemory(name: "guest", count: 1 << 20) }

  // MARK: Map

  @Test func mapsAFileFromAnOffsetOn() throws {
    var table = try Table()
    file.mapping.base.storeBytes(of: 0x1234_5678, toByteOffset: 8192, as: UInt32.self)
    let region = try #require(try table.map(0x4000, 2 * page, file.descriptor, offset: 8192))
    #expect(region.iova == 0x4000)
    #expect(region.size == 2 * page)
    #expect(region.access == [.read, .write])
    #expect(region.isReachable)
    #expect(table.table.regions == [region])

    var map = MemoryMap()
    map.insert(region)
    let translated = map.contiguous(0x4000, length: 2 * page, access: [.read, .write])
    let address = try #require(translated)
    #expect(address.load(as: UInt32.self) == 0x1234_5678)
    address.storeBytes(of: 0x9abc_def0, toByteOffset: 8188, as: UInt32.self)
    #expect(file.mapping.base.load(fromByteOffset: 16_380, as: UInt32.self) == 0x9abc_def0)
  }

  /// Queue entries, PRP lists and doorbells in such a range would not be aligned, and they are loaded as whole words.
  @Test(arguments: [1, 4, 8, 64, 512, 4095, 5000] as [UInt64])
  func refusesAnOffsetThatIsNoPage(offset: UInt64) throws {
    var table = try Table()
    #expect(table.refusal(0, page, file.descriptor, offset: offset) == .invalidArgument)
    #expect(table.table.count == 0)
    // Where there is no file, the offset means nothing.
    #expect(table.mapWithoutFile(0, page, offset: offset) == nil)
  }

  @Test func keepsRangesSortedWhateverTheOrder() throws {
    var table = try Table()
    for index in [5, 1, 9, 3, 7] as [UInt64] { _ = try table.map(index * page, page, file.descriptor) }
    #expect(table.addresses == [1, 3, 5, 7, 9].map { $0 * page })
    #expect(table.table.count == 5)
  }

  @Test(
    arguments: [
      // Not aligned, empty, not whole pages.
      (0x800, 0x1000), (0x1001, 0x1000), (0x1000, 0), (0x1000, 0x800), (0x1000, 0x1001), (0, 1),
      // Past 2^64, by one page and by all; larger than any file.
      (topPage, 2 * page), (0x1000, UInt64.max - 0xfff), (UInt64.max - 0xfff, UInt64.max - 0xfff),
      (0, 0x8000_0000_0000_0000), (0x1000, 0x8000_0000_0000_0000), (0, UInt64.max - 0xfff),
    ] as [(UInt64, UInt64)])
  func refusesRangesThatCannotBe(iova: UInt64, size: UInt64) throws {
    var table = try Table()
    #expect(table.refusal(iova, size, file.descriptor) == .invalidArgument)
    #expect(table.mapWithoutFile(iova, size) == .invalidArgument)
    #expect(table.table.count == 0)
  }

  @Test func theLastPageOfTheAddressSpaceIsAPageLikeOthers() throws {
    var table = try Table()
    _ = try table.map(topPage, page, file.descriptor)
    #expect(table.refusal(topPage - page, 2 * page, file.descriptor) == .fileExists)
    _ = try table.map(topPage - page, page, file.descriptor)
    _ = try table.map(0, page, file.descriptor)
    #expect(table.addresses == [0, topPage - page, topPage])
    #expect(try table.unmap(topPage, page) == 1)
    #expect(table.addresses == [0, topPage - page])
  }

  @Test(
    arguments: [
      // The last page of the file and one more; an offset at, behind and far behind the end; past 2^64 and past off_t.
      (1 << 20, 4096, true), (1 << 20, 0, false), (0x1000, (1 << 20) - 0x1000, false), (0x1000, 1 << 20, true),
      (0x1000, (1 << 20) - 0xfff, true), (0x1000, 1 << 40, true), (0x1000, UInt64.max - 0xfff, true),
      (0x2000, UInt64.max - 0xfff, true), (0x1000, 0x7fff_ffff_ffff_f000, true), (1 << 40, 0, true),
    ] as [(UInt64, UInt64, Bool)])
  func refusesMoreThanTheFileHas(size: UInt64, offset: UInt64, isRefused: Bool) throws {
    var table = try Table()
    #expect(table.refusal(0, size, file.descriptor, offset: offset) == (isRefused ? .invalidArgument : nil))
    #expect(table.table.count == (isRefused ? 0 : 1))
  }

  @Test(
    arguments: [
      (0x1000, 0x1000), (0x4000, 0x1000), (0x3000, 0x2000), (0x5000, 0x2000), (0x1000, 0x8000), (0x3000, 0x4000),
    ] as [(UInt64, UInt64)])
  func refusesWhatOverlaps(iova: UInt64, size: UInt64) throws {
    var table = try Table()
    _ = try table.map(0x3000, 0x3000, file.descriptor)
    _ = try table.map(0x1000, 0x1000, file.descriptor, offset: 0x8000)
    let before = table.table.regions
    #expect(table.refusal(iova, size, file.descriptor) == .fileExists)
    #expect(table.mapWithoutFile(iova, size) == .fileExists)
    #expect(table.table.regions == before)
  }

  @Test func whatTouchesDoesNotOverlap() throws {
    var table = try Table()
    _ = try table.map(0x3000, 0x1000, file.descriptor)
    _ = try table.map(0x4000, 0x1000, file.descriptor)
    _ = try table.map(0x2000, 0x1000, file.descriptor)
    #expect(table.mapWithoutFile(0x5000, 0x1000) == nil)
    #expect(table.addresses == [0x2000, 0x3000, 0x4000, 0x5000])
  }

  @Test func theVerySameRangeAgainIsNoError() throws {
    let name = "nvmed-test-same-range"
    let memory = try SharedMemory(name: name, count: 1 << 16)
    let own = try mappings(ofFileNamed: name)
    var table = try Table(limit: 1)
    _ = try #require(try table.map(0x3000, 0x2000, memory.descriptor, offset: 0x1000))
    // Also where the table is full, and through another descriptor of the file.
    let again = try FileDescriptor(path: "/proc/self/fd/\(memory.descriptor.rawValue)", flags: O_RDWR)
    #expect(try table.map(0x3000, 0x2000, again, offset: 0x1000) == nil)
    #expect(table.table.count == 1)
    #expect(try mappings(ofFileNamed: name) == own + 1)
    // Any difference makes it another range, which overlaps.
    let other = try SharedMemory(name: "other", count: 1 << 16)
    #expect(table.refusal(0x3000, 0x2000, memory.descriptor, offset: 0x2000) == .fileExists)
    #expect(table.refusal(0x3000, 0x1000, memory.descriptor, offset: 0x1000) == .fileExists)
    #expect(table.refusal(0x3000, 0x2000, memory.descriptor, offset: 0x1000, access: .read) == .fileExists)
    #expect(table.refusal(0x3000, 0x2000, other.descriptor, offset: 0x1000) == .fileExists)
    #expect(table.mapWithoutFile(0x3000, 0x2000) == .fileExists)
  }

  @Test func holdsAsManyRangesAsItWasMadeFor() throws {
    var table = try Table(limit: 3)
    for index in 0..<3 as Range<UInt64> { _ = try table.map(index * 2 * page, page, file.descriptor) }
    #expect(table.refusal(0x10_0000, page, file.descriptor) == .noSpace)
    #expect(table.mapWithoutFile(0x10_0000, page) == .noSpace)
    #expect(try table.unmap(2 * page, page) == 1)
    #expect(table.mapWithoutFile(0x10_0000, page) == nil)
    #expect(table.refusal(2 * page, page, file.descriptor) == .noSpace)
  }

  // MARK: What is no memory

  /// What a client could hand over in place of a file of memory.
  enum Impostor: CaseIterable { case readEndOfPipe, writeEndOfPipe, socket, directory, device, eventfd, path }

  @Test(arguments: Impostor.allCases) func refusesWhatIsNoFile(impostor: Impostor) throws {
    var table = try Table()
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    let readEnd = FileDescriptor(owning: ends[0])
    let writeEnd = FileDescriptor(owning: ends[1])
    switch impostor {
    case .readEndOfPipe: #expect(table.refusal(0, page, readEnd) == .invalidArgument)
    case .writeEndOfPipe: #expect(table.refusal(0, page, writeEnd) == .invalidArgument)
    case .socket:
      let pair = try UnixSocketPair()
      #expect(table.refusal(0, page, pair.first) == .invalidArgument)
    case .directory:
      let directory = try FileDescriptor(path: "/tmp", flags: O_RDONLY | O_DIRECTORY)
      #expect(table.refusal(0, page, directory) == .invalidArgument)
    case .device:
      let device = try FileDescriptor(path: "/dev/zero", flags: O_RDWR)
      #expect(table.refusal(0, page, device) == .invalidArgument)
    case .eventfd:
      let event = try EventFD()
      #expect(table.refusal(0, page, event.descriptor) == .invalidArgument)
    case .path:
      // O_PATH: a name without any access.
      let path = try FileDescriptor(
        path: "/proc/self/fd/\(file.descriptor.rawValue)", flags: Int32(CLINUX_O_PATH))
      #expect(table.refusal(0, page, path) == .badFileDescriptor)
    }
    #expect(table.table.count == 0)
  }

  @Test func aFileOpenForReadingCanBeMappedForReadingOnly() throws {
    var table = try Table()
    let readOnly = try FileDescriptor(path: "/proc/self/fd/\(file.descriptor.rawValue)", flags: O_RDONLY)
    #expect(table.refusal(0, page, readOnly) == .accessDenied)
    #expect(table.refusal(0, page, readOnly, access: .write) == .accessDenied)
    let region = try #require(try table.map(0, page, readOnly, access: .read))
    #expect(region.access == .read)
    let writeOnly = try FileDescriptor(path: "/proc/self/fd/\(file.descriptor.rawValue)", flags: O_WRONLY)
    #expect(table.refusal(0x1000, page, writeOnly, access: .read) == .accessDenied)
    #expect(table.table.count == 1)
  }

  @Test func aRangeWithoutAFileIsThereAndCannotBeReached() throws {
    var table = try Table()
    #expect(table.mapWithoutFile(0xfffc_0000, 0x4_0000) == nil)
    #expect(table.mapWithoutFile(topPage, page) == nil)
    // Larger than this process could map.
    #expect(table.mapWithoutFile(1 << 60, 1 << 60) == nil)
    let regions = table.table.regions
    #expect(regions.map(\.iova) == [0xfffc_0000, 1 << 60, topPage])
    #expect(regions.allSatisfy { !$0.isReachable && $0.access == [] })
    var map = MemoryMap()
    for region in regions { map.insert(region) }
    let read = map.contiguous(0xfffc_0000, length: 1, access: .read)
    let written = map.contiguous(0xfffc_0000 + 8, length: 1, access: .write)
    #expect(read == nil && written == nil)
    #expect(try table.unmap(0xfffc_0000, 0x4_0000) == 1)
  }

  // MARK: Unmap

  @Test(
    arguments: [
      // In a hole, before all, behind all, empty, and the giants that QEMU's virtual IOMMU asks for.
      (0x8000, 0x1000), (0, 0x1000), (0x4000_0000, 0x4000_0000), (0x1000, 0), (0, 0), (topPage, page),
      (0xfee0_0000, 0xffff_ffff_0110_0000), (0x4000_0000, UInt64.max), (0x4000_0000, UInt64.max - 0x3fff_ffff),
      (0x8800, 1), (0x8001, 0x10),
    ] as [(UInt64, UInt64)])
  func unmappingWhatIsNotThereIsNoError(iova: UInt64, size: UInt64) throws {
    var table = try Table()
    _ = try table.map(0x1000, 0x2000, file.descriptor)
    _ = try table.map(0x10_0000, 0x2000, file.descriptor)
    #expect(try table.unmap(iova, size) == 0)
    #expect(table.addresses == [0x1000, 0x10_0000])
  }

  @Test(
    arguments: [
      (0x1000, 0x1000, [0x3000, 0x5000, topPage]), (0, 0x4000, [0x5000, topPage]),
      (0x2000, 0x2000, [0x1000, 0x5000, topPage]),
      (0x3000, 0x3000, [0x1000, topPage]), (0, 0xffff_ffff_0110_0000, [topPage]),
      (0x1000, 0xffff_ffff_0110_0000, [topPage]),
      (0x3000, UInt64.max, [0x1000]), (0x1000, UInt64.max - 0xfff, []),
      (topPage, page, [0x1000, 0x3000, 0x5000]), (topPage, UInt64.max, [0x1000, 0x3000, 0x5000]),
      (0x4000, UInt64.max, [0x1000, 0x3000]),
    ] as [(UInt64, UInt64, [UInt64])])
  func unmapsEveryRangeInside(iova: UInt64, size: UInt64, rest: [UInt64]) throws {
    var table = try Table()
    for address in [0x1000, 0x3000, 0x5000, topPage] { _ = try table.map(address, page, file.descriptor) }
    #expect(try table.unmap(iova, size) == 4 - rest.count)
    #expect(table.addresses == rest)
  }

  @Test(
    arguments: [
      // Its front, its end, its middle, from before into it, from inside to behind, into the second, to the last byte but one.
      (0x10_0000, 0x1000), (0x10_2000, 0x2000), (0x10_1000, 0x1000), (0xf_f000, 0x2000), (0x10_1000, 0x1_0000),
      (0, 0x20_1000), (0x10_0000, 0x3fff), (0, UInt64.max), (0x10_0001, 0x3fff), (0x10_2000, UInt64.max),
      (0, 0x10_0001), (UInt64.max, 1),
    ] as [(UInt64, UInt64)])
  func refusesToSplitARange(iova: UInt64, size: UInt64) throws {
    var table = try Table()
    _ = try table.map(0x10_0000, 0x4000, file.descriptor)
    _ = try table.map(0x20_0000, 0x4000, file.descriptor)
    // An unmap of 2^64 - 1 bytes from 0 on leaves the last byte.
    _ = try table.map(topPage, page, file.descriptor)
    #expect(table.unmapRefusal(iova, size) == .invalidArgument)
    #expect(table.addresses == [0x10_0000, 0x20_0000, topPage], "what would be whole is not taken out either")
  }

  @Test func unmapAllTakesEverything() throws {
    var table = try Table()
    for address in [0, 0x1_0000, topPage] as [UInt64] { _ = try table.map(address, page, file.descriptor) }
    #expect(table.mapWithoutFile(0x2_0000, page) == nil)
    #expect(table.table.unmapAll().count == 4)
    #expect(table.table.count == 0)
    #expect(table.table.unmapAll().count == 0)
    _ = try #require(try table.map(0, page, file.descriptor))
  }

  /// What a guest's firmware does to the first MiB: thirteen to eighteen maps within a fraction of a second.
  @Test func firmwareRemapsTheFirstMegabyte() throws {
    var table = try Table()
    let ram: UInt64 = 0x10_0000
    _ = try table.map(0, ram, file.descriptor)
    #expect(table.mapWithoutFile(0xfffc_0000, 0x4_0000) == nil)
    #expect(try table.unmap(0, ram) == 1)
    _ = try table.map(0, 0xc_0000, file.descriptor)
    #expect(table.mapWithoutFile(0xc_0000, 0x2_0000) == nil)
    #expect(table.mapWithoutFile(0xe_0000, 0x2_0000) == nil)
    for address in [0xc_0000, 0xe_0000] as [UInt64] { #expect(try table.unmap(address, 0x2_0000) == 1) }
    _ = try table.map(0xc_0000, 0x3000, file.descriptor, offset: 0xc_0000)
    _ = try table.map(0xc_3000, 0x2_5000, file.descriptor, offset: 0xc_3000, access: .read)
    _ = try table.map(0xe_8000, 0x8000, file.descriptor, offset: 0xe_8000)
    _ = try table.map(0xf_0000, 0x1_0000, file.descriptor, offset: 0xf_0000, access: .read)
    #expect(table.addresses == [0, 0xc_0000, 0xc_3000, 0xe_8000, 0xf_0000, 0xfffc_0000])
  }

  // MARK: What is left behind

  @Test func keepsNoDescriptorAndEndsMappingsWhenTheRemovedRangeIsDropped() throws {
    let name = "nvmed-test-removed-range"
    let memory = try SharedMemory(name: name, count: 1 << 16)
    let number = memory.descriptor.rawValue
    let open = openDescriptors(ofTheFileBehind: number)
    let own = try mappings(ofFileNamed: name)
    var table = try Table()
    _ = try table.map(0, 0x1000, memory.descriptor)
    _ = try table.map(0x2000, 0x1000, memory.descriptor, offset: 0x4000)
    _ = try table.map(0x4000, 0x1000, memory.descriptor, offset: 0x8000)
    #expect(openDescriptors(ofTheFileBehind: number) == open, "the mapping holds the file, not a descriptor")
    #expect(try mappings(ofFileNamed: name) == own + 3)

    var removed: DMATable.Removed? = try table.table.unmap(iova: 0x2000, size: 0x1000)
    #expect(try mappings(ofFileNamed: name) == own + 3, "commands may still be using it")
    withExtendedLifetime(removed) {}
    removed = nil
    #expect(removed == nil)
    #expect(try mappings(ofFileNamed: name) == own + 2)

    // Refused maps leave nothing either.
    #expect(table.refusal(0, 0x1000, memory.descriptor, offset: 0x9000) == .fileExists)
    #expect(table.refusal(0x8000, 0x2_0000, memory.descriptor) == .invalidArgument)
    #expect(openDescriptors(ofTheFileBehind: number) == open)
    #expect(try mappings(ofFileNamed: name) == own + 2)
    _ = consume table
    #expect(try mappings(ofFileNamed: name) == own)
    #expect(openDescriptors(ofTheFileBehind: number) == open)
    withExtendedLifetime(memory) {}
  }
}
