import Glibc
import LinuxIO
import Testing

@testable import GuestMemory

/// Mappings are shared by all clients, and none can take them all.
@Suite final class MappingBudgetTests {
  private let file: SharedMemory

  init() throws { file = try SharedMemory(name: "guest", count: 1 << 20) }

  /// Maps pages until it is refused.
  ///
  /// - Returns: how many, and why no more.
  private func fill(_ table: inout DMATable, from first: UInt64 = 0) -> (count: Int, error: Errno?) {
    for index in 0..<1000 as Range<UInt64> {
      do throws(Errno) {
        _ = try table.map(
          iova: (first + index) * 8192, size: 4096, descriptor: try file.descriptor.duplicate(), offset: 0,
          access: [.read, .write])
      } catch {
        return (Int(index), error)
      }
    }
    return (1000, nil)
  }

  @Test func eachGetsWhatIsFreeAndNoMore() throws {
    let budget = MappingBudget(total: 60)
    var first = try DMATable(limit: 100, budget: budget)
    #expect(fill(&first) == (30, .noSpace), "one alone has half")
    var second = try DMATable(limit: 100, budget: budget)
    #expect(fill(&second) == (15, .noSpace))
    var third = try DMATable(limit: 100, budget: budget)
    #expect(fill(&third).count > 5, "whoever comes next finds some as well")
    let left = budget.freeCount
    #expect(left > 0)
    // What is not mapped any more is everybody's.
    let removed = first.unmapAll()
    #expect(budget.freeCount == left, "it is still mapped")
    #expect(removed.count == 30)
    #expect(fill(&first, from: 2000).count == 0, "and still the first one's")
    _ = consume removed
    #expect(budget.freeCount == left + 30)
    #expect(fill(&second, from: 1000).count > 0)
    _ = consume first
    _ = consume second
    _ = consume third
    #expect(budget.freeCount == 60)
  }

  @Test func whatIsNotMappedCostsNothing() throws {
    let budget = MappingBudget(total: 4)
    var table = try DMATable(limit: 100, budget: budget)
    for index in 0..<50 as Range<UInt64> {
      _ = try table.map(iova: index * 8192, size: 4096, descriptor: nil, offset: 0, access: [])
    }
    #expect(budget.freeCount == 4)
    let pipe = try UnixSocketPair()
    for _ in 0..<10 {
      // Refused for another reason: longer than the file, no file, there already.
      #expect(throws: Errno.invalidArgument) {
        try table.map(
          iova: 1 << 40, size: 2 << 20, descriptor: try self.file.descriptor.duplicate(), offset: 0, access: .read)
      }
      #expect(throws: Errno.invalidArgument) {
        try table.map(iova: 1 << 40, size: 4096, descriptor: try pipe.first.duplicate(), offset: 0, access: .read)
      }
      #expect(throws: Errno.fileExists) {
        try table.map(iova: 0, size: 4096, descriptor: try self.file.descriptor.duplicate(), offset: 0, access: .read)
      }
    }
    #expect(budget.freeCount == 4)
  }

  @Test func aFaultedRangeIsGivenBackToo() throws {
    let budget = MappingBudget(total: 8)
    let memory = try unsealedMemory(name: "faulted", count: 4096)
    var table = try DMATable(limit: 8, budget: budget)
    var map = MemoryMap()
    let region = try table.map(
      iova: 0, size: 4096, descriptor: try memory.duplicate(), offset: 0, access: [.read, .write])
    map.insert(try #require(region))
    #expect(ftruncate(memory.rawValue, 0) == 0)
    #expect(withUnsafeBytes(of: 1) { map.write(0, from: $0) })
    #expect(budget.freeCount == 7)
    _ = table.takeFaulted()
    #expect(budget.freeCount == 8)
    #expect(table.unmapAll().count == 1)
    #expect(budget.freeCount == 8)
  }

  @Test func theProcessHasAsManyAsTheKernelGives() throws {
    let budget = MappingBudget.process
    #expect(budget.total > 1000)
    #expect(budget.freeCount <= budget.total)
    let file = try FileDescriptor(path: "/proc/sys/vm/max_map_count", flags: O_RDONLY)
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = read(file.rawValue, &bytes, bytes.count)
    let text = String(decoding: bytes.prefix(max(count, 0)).filter { $0 != 10 }, as: UTF8.self)
    let limit = try #require(Int(text))
    #expect(budget.total <= limit - 2048, "something is left for everything else")
  }
}
