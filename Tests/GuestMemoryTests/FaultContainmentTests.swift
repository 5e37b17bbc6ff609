import CLinux
import Glibc
import LinuxIO
import Testing

@testable import GuestMemory

/// The handler of SIGBUS and its table, each test in a process of its own: both belong to the whole process.
@Suite struct FaultContainmentTests {
  @Test func aSignalThatSomebodySentTakesItsDefaultAction() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      let table = try DMATable(limit: 1)
      // (to this thread: another one might take it when this one has ended)
      raise(SIGBUS)
      // Where it was taken for a fault, the process would go on, and without a handler.
      _ = table.count
    }
  }

  @Test(.disabled(if: isSanitized, "a sanitizer has mlockall(2) do nothing"))
  func whereMemoryIsShortAPartOfTheRangeIsReplaced() async {
    await #expect(processExitsWith: .success) {
      let size = 256 << 20
      let file = try unsealedMemory(name: "large", count: size)
      var table = try DMATable(limit: 1)
      var map = MemoryMap()
      let region = try table.map(
        iova: 0, size: UInt64(size), descriptor: try file.duplicate(), offset: 0, access: [.read, .write])
      guard let region else { exit(2) }
      map.insert(region)
      // The whole range cannot be replaced.
      guard lockNewMappings(atMost: 32 << 20) else { exit(3) }
      guard ftruncate(file.rawValue, 0) == 0 else { exit(4) }
      for place in [0, 5, 4096, size / 2, size - 1] as [Int] {
        var byte: UInt8 = 1
        guard withUnsafeMutableBytes(of: &byte, { map.read(UInt64(place), into: $0) }), byte == 0 else { exit(5) }
      }
      guard table.faultEvent.drain() > 1 else { exit(6) }
      guard table.takeFaulted().count == 1 else { exit(7) }
    }
  }

  @Test func eachOfManyRangesIsFoundAndNoOtherIsTouched() async {
    await #expect(processExitsWith: .success) {
      let count = 20_000
      let first = try unsealedMemory(name: "first", count: 8192)
      let second = try unsealedMemory(name: "second", count: 8192)
      var table = try DMATable(limit: count, budget: MappingBudget(total: Int(CLINUX_SIGBUS_RANGES)))
      var map = MemoryMap()
      // From two files in turn, so that the kernel joins none.
      for index in 0..<count {
        let file = index % 2 == 0 ? try first.duplicate() : try second.duplicate()
        let region = try table.map(
          iova: UInt64(index) * 4096, size: 4096, descriptor: file, offset: 4096, access: [.read, .write])
        if let region { map.insert(region) }
      }
      var value: UInt64 = 42
      guard pwrite(second.rawValue, &value, 8, 4096) == 8 else { exit(2) }
      guard ftruncate(first.rawValue, 4096) == 0 else { exit(3) }
      for index in stride(from: 0, to: count, by: 100) {
        guard withUnsafeBytes(of: 7, { map.write(UInt64(index) * 4096, from: $0) }) else { exit(4) }
        guard table.faultEvent.drain() == 1 else { exit(5) }
      }
      for index in stride(from: 1, to: count, by: 2) {
        guard withUnsafeMutableBytes(of: &value, { map.read(UInt64(index) * 4096, into: $0) }), value == 42 else {
          exit(6)
        }
      }
      guard table.faultEvent.drain() == 0 else { exit(7) }
      let faulted = table.takeFaulted()
      guard faulted.count == count / 100 else { exit(8) }
      // Their ranges stay, out of reach.
      guard table.count == count, table.regions.count(where: { !$0.isReachable }) == count / 100 else { exit(9) }
      guard table.regions.allSatisfy({ $0.isReachable || $0.iova / 4096 % 100 == 0 }) else { exit(10) }
    }
  }

  /// Others come and go while a thread faults, and nothing beside its own range is replaced.
  @Test func rangesMayComeAndGoMeanwhile() async {
    await #expect(processExitsWith: .success) {
      let memory = try MemoryMapping(anonymous: 64 * 4096)
      memset(memory.base, 0x5a, memory.count)
      nonisolated(unsafe) let base = memory.base
      guard clinux_sigbus_install() == 0 else { exit(2) }
      let isOver = Locked(false)
      let place = clinux_sigbus_guard(base, 1, -1)
      let fault = try EventFD()
      let guarded = clinux_sigbus_guard(base + 32 * 4096, 4096, fault.rawValue)
      clinux_sigbus_release(place)
      // In turn before and behind the page that faults: a base of the one and an end of the other would hold it.
      let churn = try Thread(name: "churn") {
        var index = 0
        while !isOver.withLock({ $0 }) {
          clinux_sigbus_release(clinux_sigbus_guard(base + index % 2 * 63 * 4096, 4096, -1))
          index += 1
        }
      }
      let file = try unsealedMemory(name: "page", count: 4096)
      for _ in 0..<5000 {
        guard ftruncate(file.rawValue, 4096) == 0 else { exit(3) }
        let mapped = mmap(base + 32 * 4096, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file.rawValue, 0)
        guard mapped != MAP_FAILED, ftruncate(file.rawValue, 0) == 0 else { exit(4) }
        base.storeBytes(of: 1, toByteOffset: 32 * 4096, as: UInt8.self)
        guard fault.drain() == 1 else { exit(5) }
        for other in [0, 31, 33, 63] as [Int] {
          guard base.load(fromByteOffset: other * 4096, as: UInt8.self) == 0x5a else { exit(6) }
        }
      }
      isOver.withLock { $0 = true }
      churn.join()
      clinux_sigbus_release(guarded)
    }
  }

  /// The table full, a place in it is found as fast as in an empty one: a client that maps and unmaps spends its own time.
  @Test func aFullTableIsNoSlower() async {
    await #expect(processExitsWith: .success) {
      let page = try MemoryMapping(anonymous: 4096)
      var places: [Int32] = []
      while true {
        let place = clinux_sigbus_guard(page.base, 4096, -1)
        if place < 0 { break }
        places.append(place)
      }
      guard places.count == Int(CLINUX_SIGBUS_RANGES), Set(places).count == places.count else { exit(2) }
      let start = clock()
      for _ in 0..<500_000 {
        // The lowest goes first and comes back last: who looks for a free one from there on passes all others.
        clinux_sigbus_release(places[0])
        clinux_sigbus_release(places[places.count - 1])
        places[0] = clinux_sigbus_guard(page.base, 4096, -1)
        places[places.count - 1] = clinux_sigbus_guard(page.base, 4096, -1)
        guard places[0] >= 0, places[places.count - 1] >= 0 else { exit(3) }
      }
      // Seconds of processor time, where a search through the table takes a minute.
      guard clock() - start < 10 * CLOCKS_PER_SEC else { exit(4) }
      guard clinux_sigbus_guard(page.base, 4096, -1) < 0 else { exit(5) }
      for place in places { clinux_sigbus_release(place) }
    }
  }
}
