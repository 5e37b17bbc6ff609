import Doorbells
import Glibc
import GuestMemory
import LinuxIO
import NVMeSpec
import Synchronization
import Testing

@testable import NVMeController

/// A guest that flips one word of a command or of its list between two values while the device reads it.
///
/// Whichever of them the device finds, it must be the same at the check and at the use: what comes of each command is
/// exactly what comes of one of the two.
@Suite struct DoubleFetchTests {
  /// Commands of each pair. Debug builds are ten times slower, and have no optimiser to find out.
  #if DEBUG
    private static let commands = 10_000
  #else
    private static let commands = 200_000
  #endif
  /// Rounds of them in which the flipper was at work as well, unless that takes ten times the commands.
  private static let races = 300
  private static let queueSize = 64
  private static let burst = 32
  private static let canary: UInt64 = 0xc7c7_c7c7_c7c7_c7c7

  /// Flips words of guest memory on a thread as long as `body` runs.
  private static func flip(
    _ words: [(address: UInt, values: (UInt64, UInt64))], during body: (StoppableThread) throws -> Void
  ) throws {
    let flipper = try StoppableThread(name: "flipper", false) { isSecond in
      for (address, values) in words {
        let word = UnsafePointer<Atomic<UInt64>>(bitPattern: address)
        word?.pointee.store(isSecond ? values.1 : values.0, ordering: .relaxed)
      }
      isSecond.toggle()
    }
    defer { flipper.stop() }
    try body(flipper)
  }

  /// What a block of the namespace begins and ends with.
  private static func mark(_ lba: UInt64, last: Bool) -> UInt64 { lba << 1 | (last ? 1 : 0) | 0xa5 << 56 }

  @Test(arguments: Alternative.pairs) func whatIsCheckedIsWhatIsUsed(_ pair: Alternative.Pair) throws {
    let ram = try GuestRAM()
    let view = try ram.view()
    let disk = try MemoryMapping(anonymous: Int(Alternative.blockCount) << 9)
    let interrupt = try EventFD()
    for lba in 0..<Alternative.blockCount {
      disk.base.storeBytes(of: Self.mark(lba, last: false), toByteOffset: Int(lba) << 9, as: UInt64.self)
      disk.base.storeBytes(of: Self.mark(lba, last: true), toByteOffset: Int(lba) << 9 + 504, as: UInt64.self)
    }
    var harness = try EngineHarness.make(requestCount: 64, queueSize: Self.queueSize)
    for region in view.regions { harness.map(region) }
    harness.setNamespace(
      .memory(base: disk.base, count: disk.count), blockShift: 9, blockCount: Alternative.blockCount,
      alignmentMask: 511)
    harness.engine.ports[0].namespaces[0].isReadOnly = true
    let submission = ram.allocate()
    let completion = ram.allocate()
    let doorbells = harness.createQueues(
      submission: submission, completion: completion, interrupt: interrupt.rawValue)
    let (tail, head) = try #require(doorbells)

    // Pages of a command do not follow each other, so that each has a segment of its own.
    let slots = (0..<Self.queueSize).map { _ in
      let pages = ram.allocate(pages: 8)
      return Alternative.Slot(pages: [0, 2, 4, 6].map { pages + $0 * 4096 }, list: pages + 7 * 4096)
    }
    var choices: [(Alternative, Alternative)] = []
    var words: [(address: UInt, values: (UInt64, UInt64))] = []
    for (place, slot) in slots.enumerated() {
      var (first, second) = pair.make(slot)
      first.command.commandIdentifier = UInt16(place)
      second.command.commandIdentifier = UInt16(place)
      let command = submission + UInt64(place * 64)
      ram.write(Array(first.words[..<8]), at: command)
      ram.write(first.list, at: slot.list)
      let different = first.words.indices.filter { first.words[$0] != second.words[$0] }
      try #require(different.count == 1 && first.words.count == second.words.count)
      let word = different[0]
      let iova = word < 8 ? command + UInt64(word * 8) : slot.list + UInt64((word - 8) * 8)
      words.append((UInt(bitPattern: ram.host(iova)), (first.words[word], second.words[word])))
      choices.append((first, second))
    }

    var done = 0
    var races = 0
    var outcomes = (first: 0, second: 0)
    var wrong: [String] = []
    try Self.flip(words) { flipper in
      var place = 0
      var phaseTag = true
      // As long as it takes for both to be seen: the flipper has to get a turn as well.
      let deadline = Clock.monotonic + 120_000_000_000
      func isOver() -> Bool {
        if !wrong.isEmpty { return true }
        if min(outcomes.first, outcomes.second) < 50 { return Clock.monotonic >= deadline }
        return done >= Self.commands && (races >= Self.races || done >= 10 * Self.commands)
      }
      while !isOver() {
        for slot in slots[place..<(place + Self.burst)] { Self.forEachMark(slot, ram) { $0.pointee = Self.canary } }
        place += Self.burst
        tail.store(UInt32(place % Self.queueSize))
        let count = flipper.rounds
        harness.round()
        if flipper.rounds != count { races += 1 }
        head.store(UInt32(place % Self.queueSize))
        for command in (place - Self.burst)..<place {
          let entry = ram.completion(completion, command)
          try #require(entry.phaseTag == phaseTag && Int(entry.commandIdentifier) == command)
          let (first, second) = choices[command]
          let isFirst = Self.isOutcome(first, entry.status, slots[command], ram)
          let isSecond = !isFirst && Self.isOutcome(second, entry.status, slots[command], ram)
          if isFirst {
            outcomes.first += 1
          } else if isSecond {
            outcomes.second += 1
          } else {
            wrong.append("command \(command): \(entry.status)")
          }
        }
        done += Self.burst
        if place == Self.queueSize {
          place = 0
          phaseTag.toggle()
        }
      }
    }
    #expect(wrong.isEmpty, "neither the one nor the other after \(done): \(wrong.joined(separator: ", "))")
    #expect(outcomes.first >= 50 && outcomes.second >= 50, "\(outcomes) of \(done)")
    withExtendedLifetime(disk) {}
    withExtendedLifetime(interrupt) {}
    withExtendedLifetime(view) {}
  }

  /// The first and last words of all blocks of a slot's pages.
  private static func forEachMark(
    _ slot: Alternative.Slot, _ ram: GuestRAM, _ body: (UnsafeMutablePointer<UInt64>) -> Void
  ) {
    for page in slot.pages {
      let base = ram.host(page).assumingMemoryBound(to: UInt64.self)
      for block in 0..<8 {
        body(base + block * 64)
        body(base + block * 64 + 63)
      }
    }
  }

  /// Whether a command ended in this way: its status, each block where it belongs, and nothing anywhere else.
  private static func isOutcome(
    _ alternative: Alternative, _ status: Status, _ slot: Alternative.Slot, _ ram: GuestRAM
  ) -> Bool {
    guard status == alternative.status else { return false }
    for page in slot.pages {
      let base = ram.host(page).assumingMemoryBound(to: UInt64.self)
      for block in 0..<8 {
        var expected = (canary, canary)
        for (iova, lba, count) in alternative.extents where iova == page && block < count {
          expected = (mark(lba + UInt64(block), last: false), mark(lba + UInt64(block), last: true))
        }
        guard base[block * 64] == expected.0, base[block * 64 + 63] == expected.1 else { return false }
      }
    }
    return true
  }
}

extension GuestRAM {
  /// The completion at a place of a queue.
  fileprivate func completion(_ queue: UInt64, _ place: Int) -> CompletionQueueEntry {
    let address = host(queue + UInt64(place * CompletionQueueEntry.byteCount))
    let word1 = address.load(fromByteOffset: 8, as: UInt64.self)
    return CompletionQueueEntry(address.load(as: UInt64.self), word1)
  }
}
