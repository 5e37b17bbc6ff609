import LinuxIO
import Testing

@testable import MicroVMM

@Suite struct SignalReaderTests {
  /// What is read of a slot and so many signals, after the end was asked for.
  private static func read(signals: Int, value: UInt32) throws -> SignalReader.Sighting {
    let memory = try MemoryMapping(anonymous: 4096)
    let slot = SharedWord(at: memory.base)
    slot.store(value)
    let event = try EventFD()
    for _ in 0..<signals { event.signal() }
    let reader = SignalReader(try event.duplicate(), slot)
    reader.stop()
    reader.read()
    return reader.result
  }

  @Test func takesAsManySignalsAsTheValueSays() throws {
    #expect(try Self.read(signals: 3, value: 3) == SignalReader.Sighting(wakeups: 1, signals: 3, early: 0))
    #expect(try Self.read(signals: 3, value: 5) == SignalReader.Sighting(wakeups: 1, signals: 3, early: 0))
    #expect(try Self.read(signals: 0, value: 0) == SignalReader.Sighting(wakeups: 0, signals: 0, early: 0))
  }

  @Test func tellsOfASignalBeforeItsValue() throws {
    #expect(try Self.read(signals: 3, value: 2) == SignalReader.Sighting(wakeups: 1, signals: 3, early: 1))
  }
}
