import Testing

@testable import LinuxIO

@Suite struct FixedTableTests {
  /// Counts how many of it have ended.
  private final class Ended: Sendable {
    let numbers = Locked<[Int]>([])
  }

  /// An element that cannot be copied and tells when it ends.
  private struct Token: ~Copyable {
    let number: Int
    var value = 0
    let ended: Ended
    deinit { ended.numbers.withLock { $0.append(number) } }
  }

  @Test func elementsAreMadeByIndexAndChangedInPlace() {
    var table = FixedTable(count: 4) { $0 * 10 }
    #expect(table.count == 4)
    #expect((0..<4).map { table[$0] } == [0, 10, 20, 30])
    table[2] += 1
    #expect((0..<4).map { table[$0] } == [0, 10, 21, 30])
  }

  @Test func everyElementEndsOnce() {
    let ended = Ended()
    do {
      var table = FixedTable(count: 3) { Token(number: $0, ended: ended) }
      table[1].value = 5
      #expect(table[1].value == 5)
      #expect(ended.numbers.withLock { $0 } == [], "an access copies nothing and ends nothing")
      table[1] = Token(number: 9, ended: ended)
      #expect(ended.numbers.withLock { $0 } == [1], "the one that was replaced")
      #expect(table[1].number == 9)
    }
    #expect(ended.numbers.withLock { $0 }.sorted() == [0, 1, 2, 9])
  }

  @Test func anEmptyTableIsNoError() {
    let ended = Ended()
    do {
      let table = FixedTable(count: 0) { Token(number: $0, ended: ended) }
      #expect(table.count == 0)
    }
    #expect(ended.numbers.withLock { $0 } == [])
  }

  @Test func anIndexBehindTheEndEndsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      let table = FixedTable(count: 2) { $0 }
      _ = table[2]
    }
  }

  @Test func anIndexBeforeTheBeginningEndsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      var table = FixedTable(count: 2) { $0 }
      table[-1] = 0
    }
  }
}
