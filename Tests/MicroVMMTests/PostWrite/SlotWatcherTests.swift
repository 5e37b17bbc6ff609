import LinuxIO
import Testing

@testable import MicroVMM

@Suite struct SlotWatcherTests {
  /// The watcher, stopped before it begins: it looks 64 times.
  private static func look(_ value: UInt64, width: Int, values: [UInt64]) throws -> SlotWatcher.Sighting {
    let memory = try MemoryMapping(anonymous: 4096)
    memory.base.storeBytes(of: value, as: UInt64.self)
    let watcher = SlotWatcher(slot: memory.base, width: width, values: values)
    watcher.stop()
    watcher.watch()
    return watcher.result
  }

  @Test(arguments: [2, 4, 8]) func knowsTheValuesThatMayBeThere(width: Int) throws {
    let sighting = try Self.look(0x100, width: width, values: [0xFF, 0x100])
    #expect(sighting == SlotWatcher.Sighting(looks: 64, seen: [0, 64], torn: 0, example: nil))
  }

  @Test(arguments: [2, 4, 8]) func tellsOfOthers(width: Int) throws {
    let sighting = try Self.look(0x1FF, width: width, values: [0xFF, 0x100])
    #expect(sighting == SlotWatcher.Sighting(looks: 64, seen: [0, 0], torn: 64, example: 0x1FF))
  }

  @Test func looksAtItsWidthOnly() throws {
    #expect(try Self.look(0xABCD_0100, width: 2, values: [0x100]).torn == 0)
    #expect(try Self.look(0xABCD_0100, width: 4, values: [0x100]).torn == 64)
    #expect(try Self.look(0x1_0000_0100, width: 4, values: [0x100]).torn == 0)
    #expect(try Self.look(0x1_0000_0100, width: 8, values: [0x100]).torn == 64)
  }
}
