import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import GuestMemory

/// A client that cuts its memory short harms nobody but itself.
@Suite struct DMAMappingTests {
  /// Memory of one client: a file without seals, mapped at 0.
  private final class Client {
    let file: FileDescriptor
    var table: DMATable
    var map = MemoryMap()

    init(name: String, pages: Int) throws {
      file = try unsealedMemory(name: name, count: pages * 4096)
      table = try DMATable(limit: 8)
      let region = try table.map(
        iova: 0, size: UInt64(pages) * 4096, descriptor: try file.duplicate(), offset: 0, access: [.read, .write])
      if let region { map.insert(region) }
    }

    func store(_ value: UInt64, at address: UInt64) -> Bool {
      withUnsafeBytes(of: value) { map.write(address, from: $0) }
    }

    func load(_ address: UInt64) -> UInt64? {
      var value: UInt64 = 0
      let isMapped = withUnsafeMutableBytes(of: &value) { map.read(address, into: $0) }
      return isMapped ? value : nil
    }

    /// How often an access hit memory that was gone, since the last call.
    func faults() -> UInt64 { table.faultEvent.drain() }
  }

  @Test func readingBehindTheEndReadsZerosAndTellsTheOwner() throws {
    let client = try Client(name: "cut", pages: 4)
    let other = try Client(name: "whole", pages: 4)
    for page in 0..<4 as Range<UInt64> {
      #expect(client.store(page + 1, at: page * 4096))
      #expect(other.store(page + 11, at: page * 4096))
    }
    #expect(client.faults() == 0)
    #expect(ftruncate(client.file.rawValue, 2 * 4096) == 0)
    #expect(client.load(4096) == 2, "what is left can still be read")
    #expect(client.faults() == 0)

    #expect(client.load(2 * 4096) == 0)
    #expect(client.faults() == 1)
    // Once for the range: the process goes on, and so does who reads on.
    #expect(client.load(3 * 4096) == 0)
    #expect(client.store(5, at: 3 * 4096))
    #expect(client.faults() == 0)

    #expect((0..<4).map { other.load($0 * 4096) } == [11, 12, 13, 14])
    #expect(other.faults() == 0)
  }

  @Test func writingBehindTheEndIsContainedToo() throws {
    let client = try Client(name: "cut", pages: 2)
    #expect(ftruncate(client.file.rawValue, 0) == 0)
    #expect(client.store(1, at: 4096))
    #expect(client.faults() == 1)
    // It went to private memory: the file stays empty.
    #expect(try client.file.status().st_size == 0)
    #expect(ftruncate(client.file.rawValue, 8192) == 0)
    var value: UInt64 = 7
    #expect(pread(client.file.rawValue, &value, 8, 4096) == 8)
    #expect(value == 0)
  }

  @Test func aWalkThroughAListThatIsGoneFindsZeros() throws {
    let client = try Client(name: "list", pages: 4)
    #expect(ftruncate(client.file.rawValue, 4096) == 0)
    let status = withUnsafeTemporaryAllocation(of: iovec.self, capacity: 8) { buffer -> Status in
      guard let base = buffer.baseAddress else { return .internalError }
      var list = SegmentList(base, capacity: 8)
      return PRPWalk.translate(
        prp1: 0, prp2: 8192, length: 3 * 4096, access: .write, memory: &client.map, into: &list)
    }
    #expect(status == .success, "page 0 is mapped: the data goes where the client asked for it")
    #expect(client.faults() == 1)
  }

  @Test func theKernelAnswersWithAnErrorInPlaceOfASignal() throws {
    let client = try Client(name: "kernel", pages: 2)
    #expect(ftruncate(client.file.rawValue, 4096) == 0)
    let zero = try FileDescriptor(path: "/dev/zero", flags: O_RDWR)
    let address = client.map.contiguous(4096, length: 512, access: .write)
    #expect(read(zero.rawValue, address, 512) == -1)
    #expect(errno == EFAULT)
    #expect(client.faults() == 0)
  }

  @Test func anotherThreadsAccessIsContainedAsWell() throws {
    let client = try Client(name: "thread", pages: 2)
    #expect(ftruncate(client.file.rawValue, 0) == 0)
    nonisolated(unsafe) let address = client.map.contiguous(0, length: 8, access: .read)
    // (an atomic load: a plain one whose value nobody wants is not done in an optimised build)
    let thread = try Thread(name: "reads") { _ = address.map { SharedWord(at: $0).load() } }
    thread.join()
    #expect(client.faults() == 1)
  }

  @Test func aSecondRangeOfTheSameClientIsLeftAlone() throws {
    let client = try Client(name: "first", pages: 2)
    let second = try unsealedMemory(name: "second", count: 4096)
    let region = try client.table.map(
      iova: 0x10_0000, size: 4096, descriptor: try second.duplicate(), offset: 0, access: [.read, .write])
    client.map.insert(try #require(region))
    #expect(client.store(42, at: 0x10_0000))
    #expect(ftruncate(client.file.rawValue, 0) == 0)
    #expect(client.load(0) == 0)
    #expect(client.load(0x10_0000) == 42)
    var value: UInt64 = 0
    #expect(pread(second.rawValue, &value, 8, 0) == 8)
    #expect(value == 42, "it is still the client's file")
  }

  @Test func aRangeThatWasReplacedByZerosCanBeUnmappedAndMappedAgain() throws {
    let client = try Client(name: "again", pages: 2)
    #expect(ftruncate(client.file.rawValue, 0) == 0)
    #expect(client.load(0) == 0)
    #expect(client.faults() == 1)
    let removed = try client.table.unmap(iova: 0, size: 8192).count
    #expect(removed == 1)
    _ = client.map.remove(iova: 0, size: 8192)
    #expect(ftruncate(client.file.rawValue, 8192) == 0)
    let region = try client.table.map(
      iova: 0, size: 8192, descriptor: try client.file.duplicate(), offset: 0, access: [.read, .write])
    client.map.insert(try #require(region))
    #expect(client.store(9, at: 8))
    var value: UInt64 = 0
    #expect(pread(client.file.rawValue, &value, 8, 8) == 8)
    #expect(value == 9)
    // Guarded again.
    #expect(ftruncate(client.file.rawValue, 0) == 0)
    #expect(client.load(4096) == 0)
    #expect(client.faults() == 1)
  }

  @Test func aFaultElsewhereEndsTheProcessAsEver() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      let client = try Client(name: "guarded", pages: 1)
      let file = try unsealedMemory(name: "unguarded", count: 4096)
      let mapping = try MemoryMapping(fd: file.rawValue, offset: 0, count: 4096, .read)
      ftruncate(file.rawValue, 0)
      _ = SharedWord(at: mapping.base).load()
      _ = client.table.count
    }
  }
}
