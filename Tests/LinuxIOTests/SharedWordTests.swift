import Glibc
import Testing

@testable import LinuxIO

@Suite struct SharedWordTests {
  @Test func isFourBytesOfTheMemoryAndNoMore() throws {
    let memory = try MemoryMapping(anonymous: 4096)
    memset(memory.base, 0xee, 4096)
    let word = SharedWord(at: memory.base + 8)
    #expect(word.load() == 0xeeee_eeee)
    word.store(0x0102_0304)
    #expect(word.load() == 0x0102_0304)
    let bytes = UnsafeRawBufferPointer(start: memory.base, count: 16).map { $0 }
    #expect(bytes == [UInt8](repeating: 0xee, count: 8) + [4, 3, 2, 1, 0xee, 0xee, 0xee, 0xee])
  }

  @Test func isSeenThroughEveryMapping() throws {
    let memory = try SharedMemory(name: "word", count: 4096)
    let other = try MemoryMapping(fd: memory.descriptor.rawValue, offset: 0, count: 4096, [.read, .write])
    let here = SharedWord(at: memory.mapping.base + 64)
    let there = SharedWord(at: other.base + 64)
    here.store(UInt32.max)
    #expect(there.load() == UInt32.max)
    there.store(0)
    #expect(here.load() == 0)
  }

  /// What was written before the word is there for who has read the word: how a queue entry and its doorbell are used.
  @Test func handsOverWhatWasWrittenBeforeIt() throws {
    let rounds: UInt32 = 20_000
    let memory = try SharedMemory(name: "hand-over", count: 4096)
    let full = SharedWord(at: memory.mapping.base)
    let taken = SharedWord(at: memory.mapping.base + 64)
    nonisolated(unsafe) let data = memory.mapping.base + 128
    let producer = try Thread(name: "produces") {
      for round in 1...rounds {
        while taken.load() != round - 1 { sched_yield() }
        for index in 0..<8 { data.storeBytes(of: round, toByteOffset: index * 64, as: UInt32.self) }
        full.store(round)
      }
    }
    var torn = 0
    for round in 1...rounds {
      while full.load() != round { sched_yield() }
      for index in 0..<8 where data.load(fromByteOffset: index * 64, as: UInt32.self) != round { torn += 1 }
      taken.store(round)
    }
    producer.join()
    #expect(torn == 0)
  }
}
