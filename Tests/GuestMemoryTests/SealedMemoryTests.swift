import CLinux
import Glibc
import LinuxIO
import Testing

@testable import GuestMemory

/// Memory that its owner has sealed: the kernel holds whoever maps it to the seals.
@Suite struct SealedMemoryTests {
  /// F_SEAL_FUTURE_WRITE.
  private static let futureWrite: Int32 = 0x10

  /// A memfd of two pages with a value in the second.
  private func memory(seals: Int32) throws -> FileDescriptor {
    let number = clinux_memfd_create("sealed", UInt32(CLINUX_MFD_CLOEXEC | CLINUX_MFD_ALLOW_SEALING))
    guard number >= 0 else { throw Errno.current }
    let file = FileDescriptor(owning: number)
    var value: UInt64 = 42
    guard ftruncate(number, 8192) == 0, pwrite(number, &value, 8, 4096) == 8, clinux_add_seals(number, seals) == 0
    else { throw Errno.current }
    return file
  }

  /// Whether this kernel maps a file, shared and for reading, that is sealed against writing: since 6.7.
  private func isMappable(_ file: borrowing FileDescriptor) -> Bool {
    do throws(Errno) {
      _ = try MemoryMapping(fd: file.rawValue, offset: 0, count: 4096, .read)
      return true
    } catch {
      #expect(error == .notPermitted)
      return false
    }
  }

  private func map(
    _ table: inout DMATable, _ file: borrowing FileDescriptor, _ access: MemoryRegion.Access
  ) throws(Errno) -> MemoryRegion? {
    try table.map(iova: 0, size: 8192, descriptor: try file.duplicate(), offset: 0, access: access)
  }

  /// What QEMU has its guests' memory be: the size cannot change, and all else can.
  @Test func memoryOfAFixedSizeIsMemoryAsAnyOther() throws {
    let file = try memory(seals: Int32(CLINUX_F_SEAL_SHRINK | CLINUX_F_SEAL_GROW))
    var table = try DMATable(limit: 1, budget: MappingBudget(total: 4))
    var map = MemoryMap()
    map.insert(try #require(try self.map(&table, file, [.read, .write])))
    #expect(withUnsafeBytes(of: 7 as UInt64) { map.write(8, from: $0) })
    var value: UInt64 = 0
    #expect(pread(file.rawValue, &value, 8, 8) == 8 && value == 7)
    #expect(ftruncate(file.rawValue, 0) == -1 && errno == EPERM)
    #expect(table.faultEvent.drain() == 0)
  }

  /// A device may read what nobody may write. A map for writing is refused with what the kernel says, and leaves nothing.
  @Test(arguments: [Int32(CLINUX_F_SEAL_WRITE), SealedMemoryTests.futureWrite])
  func memoryThatNobodyWritesIsReadOnly(seal: Int32) throws {
    let file = try memory(seals: seal)
    let budget = MappingBudget(total: 4)
    var table = try DMATable(limit: 1, budget: budget)
    for access in [[.write], [.read, .write]] as [MemoryRegion.Access] {
      for _ in 0..<10 {
        #expect(throws: Errno.notPermitted) { try self.map(&table, file, access) }
      }
    }
    #expect(budget.freeCount == 4 && table.count == 0)
    #expect(openDescriptors(ofTheFileBehind: file.rawValue) == 1)
    guard isMappable(file) else {
      #expect(throws: Errno.notPermitted) { try self.map(&table, file, .read) }
      #expect(budget.freeCount == 4)
      return
    }
    var map = MemoryMap()
    map.insert(try #require(try self.map(&table, file, .read)))
    #expect(budget.freeCount == 3)
    var value: UInt64 = 0
    #expect(withUnsafeMutableBytes(of: &value) { map.read(4096, into: $0) } && value == 42)
    #expect(!withUnsafeBytes(of: value) { map.write(0, from: $0) }, "not even asked of the kernel")
    _ = table.unmapAll()
    #expect(budget.freeCount == 4)
    #expect(openDescriptors(ofTheFileBehind: file.rawValue) == 1)
  }

  /// Sealed once it is mapped for writing: what is there stays.
  @Test func aSealThatComesLaterTakesNothingAway() throws {
    let file = try memory(seals: Int32(CLINUX_F_SEAL_SHRINK))
    var table = try DMATable(limit: 2)
    var map = MemoryMap()
    map.insert(try #require(try self.map(&table, file, [.read, .write])))
    #expect(clinux_add_seals(file.rawValue, Int32(CLINUX_F_SEAL_WRITE)) == -1 && errno == EBUSY)
    #expect(clinux_add_seals(file.rawValue, SealedMemoryTests.futureWrite) == 0)
    #expect(withUnsafeBytes(of: 7 as UInt64) { map.write(8, from: $0) })
    #expect(throws: Errno.notPermitted) {
      try table.map(
        iova: 1 << 20, size: 4096, descriptor: try file.duplicate(), offset: 0, access: [.read, .write])
    }
    #expect(table.count == 1 && table.faultEvent.drain() == 0)
  }
}
