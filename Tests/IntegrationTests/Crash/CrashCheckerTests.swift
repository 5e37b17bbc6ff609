import LinuxIO
import Testing

/// What looks for violations after a crash finds them, in runs made by hand, and finds none where there is none.
@Suite struct CrashCheckerTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// A part of what is to be said; nil: nothing.
    let violation: String?
    let run: @Sendable (inout CrashScript) -> Void

    init(_ name: String, _ violation: String?, _ run: @escaping @Sendable (inout CrashScript) -> Void) {
      testDescription = name
      self.violation = violation
      self.run = run
    }
  }

  static let wrong = [
    Row("a flush without a sync", "version 0, but 1 was promised") { script in
      script.write()
      script.flush { _ in }
      script.write(1..<2)
    },
    Row("a sync dropped", "version 1, but 2 was promised") { script in
      script.write()
      script.flush { $0.sync() }
      script.write()
      script.flush { _ in }
      script.write(1..<2)
    },
    Row("a sync before the write was answered", "version 0, but 1 was promised") { script in
      let number = script.submit()
      script.arrive(number)
      script.sync()
      script.answer(number)
      script.complete(number)
      script.flush { _ in }
      script.write(1..<2)
    },
    Row("a flush that succeeds before its sync", "version 0, but 1 was promised") { script in
      script.write()
      script.flush { _ in }
      script.write(1..<2)
      script.sync()
    },
    Row("a Force Unit Access that the disk was not asked for", "version 0, but 1 was promised") { script in
      let number = script.submit()
      script.arrive(number, isForced: false)
      script.answer(number)
      script.complete(number, isForced: true)
      script.write(1..<2)
    },
    Row("a write acknowledged before it came to the disk", "version 0, but 1 was promised") { script in
      let number = script.submit()
      script.complete(number, isForced: true)
      script.arrive(number, isForced: true)
      script.answer(number)
    },
    Row("a write acknowledged before the disk has answered", "version 0, but 1 was promised") { script in
      let number = script.submit()
      script.arrive(number, isForced: true)
      script.complete(number, isForced: true)
      script.answer(number)
    },
    Row("a write that is not forced with the cache off", "version 0, but 1 was promised") { script in
      script.history.turnCacheOff(position: 0)
      script.write()
      script.write(1..<2, isForced: true)
    },
    Row("the cache turned off without a sync", "version 0, but 1 was promised") { script in
      script.write()
      script.history.turnCacheOff(position: script.events.count)
      script.write(1..<2, isForced: true)
    },
    Row("a block split over two writes", "is torn") { script in
      let number = script.submit()
      script.arrive(number, sectors: 0..<1)
      script.answer(number)
      script.arrive(number, sectors: 1..<2)
      script.answer(number)
      script.complete(number)
    },
    Row("an old write in flight after a durable one", "version 1, but 2 was promised") { script in
      script.arrive(script.submit())
      script.write()
      script.flush { $0.sync() }
    },
    Row("an old write that ends after a durable one", "version 1, but 2 was promised") { script in
      let old = script.submit()
      script.arrive(old)
      script.write(isForced: true)
      script.answer(old)
      script.sync()
    },
    Row("an old write after a durable one and zeros", "version 1, but 3 was promised") { script in
      let old = script.submit()
      script.write()
      script.flush { $0.sync() }
      let zeros = script.submit(.zero)
      script.clear(zeros)
      script.answer(zeros)
      script.complete(zeros)
      script.flush { $0.sync() }
      script.arrive(old)
    },
    Row("an old write after a durable one and a deallocation", "version 1, but 3 was promised") { script in
      let old = script.submit()
      script.write()
      script.flush { $0.sync() }
      let hole = script.submit(.deallocate)
      script.complete(hole)
      script.flush { $0.sync() }
      script.arrive(old)
    },
    Row("zeros with Force Unit Access and without a sync", "version 1, but 2 was promised") { script in
      script.write(isForced: true)
      let zeros = script.submit(.zero)
      script.clear(zeros)
      script.answer(zeros)
      script.complete(zeros, isForced: true)
      script.write(1..<2)
    },
    Row("an end without a sync, after one with", "version 1, but 3 was promised") { script in
      script.write()
      script.write(2..<3)
      script.flush { $0.sync() }
      script.write()
      script.flush { _ in }
    },
    Row("a block at another's place", "foreign bytes") { script in
      let number = script.submit(.write, 1..<2)
      script.arrive(number, 1..<2)
      let other = script.submit(.write, 1..<3)
      script.arrive(other, 1..<3, sectors: 2..<4)
      guard case .write(_, let bytes, _) = script.events[1] else { return }
      script.add(.write(offset: 0, bytes: bytes, isForced: false))
    },
  ]

  static let right = [
    Row("a flush with a sync", nil) { script in
      script.write()
      script.write(1..<3)
      script.flush { $0.sync() }
      script.write()
    },
    Row("a forced write", nil) { script in
      script.write()
      script.write(isForced: true)
      script.write(1..<2)
    },
    Row("writes that nobody waits for", nil) { script in
      script.arrive(script.submit())
      script.write(1..<4)
      script.write(1..<2)
      script.sync()
      script.write(2..<4)
    },
    Row("the cache off", nil) { script in
      script.write()
      script.sync()
      script.history.turnCacheOff(position: script.events.count)
      script.write(isForced: true)
      script.history.turnCacheOn()
      script.write()
    },
    Row("a durable deallocation of which nothing is done", nil) { script in
      script.write(isForced: true)
      let hole = script.submit(.deallocate)
      script.complete(hole)
      script.flush { $0.sync() }
      script.write(1..<2)
    },
    Row("zeros, and a sync", nil) { script in
      script.write(isForced: true)
      let zeros = script.submit(.zero)
      script.clear(zeros)
      script.answer(zeros)
      script.sync()
      script.complete(zeros, isForced: true)
      script.write(1..<2)
    },
    Row("a sync that comes while a write is in flight, and another after it", nil) { script in
      let number = script.submit()
      script.arrive(number)
      script.sync()
      script.answer(number)
      script.complete(number)
      script.flush { $0.sync() }
      script.write(1..<2)
    },
  ]

  @Test(arguments: wrong + right) func findsWhatPowerCutsLose(_ row: Row) {
    var script = CrashScript()
    row.run(&script)
    if let violation = row.violation {
      #expect(script.violations.contains { $0.contains(violation) }, "\(script.violations)")
    } else {
      #expect(script.violations.isEmpty)
    }
  }

  // MARK: File systems

  /// What is made of a cut has all that is certain, may have anything else, and has it at times.
  @Test func losesWhatIsNotSettled() throws {
    func write(_ page: Int, isForced: Bool = false) -> RecordedDisk.Event {
      .write(offset: page * 4096, bytes: [UInt8](repeating: UInt8(page + 1), count: 4096), isForced: isForced)
    }
    // Synced; synced while in flight; forced; not synced; cleared and not synced; in flight; forced and in flight.
    let events: [RecordedDisk.Event] = [
      write(0), .answer(0), write(4), .answer(2), write(1), .sync, .answer(4), write(2, isForced: true), .answer(7),
      write(3), .answer(9), .clear(4 * 4096..<5 * 4096), .answer(11), write(5), write(6, isForced: true),
    ]
    var seen = [Set<UInt8>](repeating: [], count: 7)
    var lost = 0
    for seed in 1...40 as ClosedRange<UInt64> {
      let cuts = try FileSystemCuts(events, byteCount: 7 * 4096, seed: seed)
      lost += try cuts.make(at: events.count, losing: true)
      for page in seen.indices { seen[page].formUnion(try cuts.image.read(at: page * 4096, count: 4096)) }
    }
    #expect(seen == [[1], [0, 2], [3], [0, 4], [0, 5], [0, 6], [0, 7]])
    #expect(lost > 0)
    let cuts = try FileSystemCuts(events, byteCount: 7 * 4096, seed: 1)
    #expect(cuts.syncs(from: 0) == [6])
    #expect(try cuts.make(at: events.count, losing: false) == 0)
    #expect(try (0..<7).map { try cuts.image.read(at: $0 * 4096, count: 1)[0] } == [1, 2, 3, 4, 0, 6, 7])
  }

  /// Files that were promised are there, as they were then or later.
  @Test func findsFilesThatAreLost() {
    let history = FileHistory()
    let first = history.begin("a")
    let second = history.begin("a")
    let third = history.begin("a")
    let other = history.begin("b")
    history.end(first, position: 10)
    history.end(second, position: 20)
    func violations(at position: Int, _ files: [String: [UInt8]]) -> [String] {
      history.violations(at: position) { files[$0] }
    }
    let rows: [(position: Int, files: [String: [UInt8]], violation: String?)] = [
      (9, [:], nil),
      (10, [:], "a of version 1 is gone"),
      (10, ["a": FileContent.bytes(first)], nil),
      (19, ["a": FileContent.bytes(third)], nil),
      (20, ["a": FileContent.bytes(first)], "a has version 1, but 2 was promised"),
      (20, ["a": FileContent.bytes(second)], nil),
      (20, ["a": FileContent.bytes(other)], "a has version 4, but 2 was promised"),
      (20, ["a": []], "a has no version, but 2 was promised"),
      (20, ["a": Array(FileContent.bytes(second).dropLast()) + [1]], "a has no version, but 2 was promised"),
      (20, ["a": FileContent.bytes(second), "b": FileContent.bytes(other)], nil),
      (20, ["a": FileContent.bytes(second), "b": [0]], "b has no version, but 0 was promised"),
    ]
    for row in rows { #expect(violations(at: row.position, row.files) == (row.violation.map { [$0] } ?? [])) }
  }
}
