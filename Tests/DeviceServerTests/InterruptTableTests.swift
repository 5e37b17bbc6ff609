import Glibc
import LinuxIO
import Testing

@testable import DeviceServer

@Suite struct InterruptTableTests {
  /// A table of which a test keeps duplicates of the eventfds.
  private final class Table {
    private var table: InterruptTable
    init(count: Int) { table = InterruptTable(count: count) }

    func install(_ event: borrowing EventFD, at index: Int, _ replaced: InterruptTable.Replaced) throws -> Int32 {
      table.install(try event.duplicate(), at: index, replaced: replaced)
    }

    func remove(_ index: Int, _ replaced: InterruptTable.Replaced) { table.remove(index, replaced: replaced) }
    func signal(_ index: Int) { _ = table.signal(index) }
    var installed: [Bool] { (0..<table.count).map { table.isInstalled($0) } }
  }

  /// Whether a descriptor's number is open in this process, as an eventfd.
  private func isOpen(_ number: Int32) -> Bool { EventFD.isEventFD(number) }

  @Test func signalsWhatIsInstalled() throws {
    let table = Table(count: 3)
    let event = try EventFD()
    let replaced = InterruptTable.Replaced()
    #expect(table.installed == [false, false, false])
    let number = try table.install(event, at: 1, replaced)
    #expect(number != event.rawValue)
    #expect(table.installed == [false, true, false])
    for index in 0..<3 { table.signal(index) }
    #expect(event.drain() == 1)
    table.remove(1, replaced)
    table.remove(2, replaced)
    #expect(table.installed == [false, false, false])
    table.signal(1)
    #expect(event.drain() == 0)
  }

  @Test func whatWasReplacedIsKeptUntilNobodyUsesIt() throws {
    let table = Table(count: 1)
    let first = try EventFD()
    let second = try EventFD()
    var numbers: [Int32] = []
    do {
      let replaced = InterruptTable.Replaced()
      numbers.append(try table.install(first, at: 0, replaced))
      numbers.append(try table.install(second, at: 0, replaced))
      #expect(numbers.map(isOpen) == [true, true])
      // An I/O thread that has not heard of it yet.
      EventFD.signal(rawValue: numbers[0])
      #expect(first.drain() == 1)
      table.signal(0)
      #expect(first.drain() == 0)
      #expect(second.drain() == 1)
    }
    table.signal(0)
    #expect(second.drain() == 1)
  }
}
