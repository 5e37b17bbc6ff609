import Glibc
import LinuxIO
import Testing

@testable import NVMeController

/// Eventfds of a client of which one makes a write wait: `InterruptVectors.swift`.
@Suite struct StalledVectorsTests {
  /// One wait is all that a client can cause: its other eventfds are not written to any more, nor those that it installs.
  @Test func noOtherIsWrittenTo() throws {
    let trapped = try EventFD()
    #expect(fcntl(trapped.rawValue, F_SETFL, 0) == 0)
    var most = UInt64.max - 1
    #expect(write(trapped.rawValue, &most, 8) == 8)
    let (installed, late) = (try EventFD().release(), try EventFD().release())
    defer { for number in [installed, late] { close(number) } }
    let number = trapped.rawValue
    let result = Locked<[Bool]>([])
    let thread = try Thread(name: "signaller") {
      WriteWatch.watched {
        var vectors = InterruptVectors(count: 3)
        vectors.install(number, vector: 0, hasEntries: false)
        vectors.install(installed, vector: 1, hasEntries: false)
        var seen = [vectors.signal(1), vectors.signal(0), vectors.takeStall(), vectors.signal(1)]
        vectors.install(late, vector: 2, hasEntries: true)
        seen += [vectors.signal(2), vectors.takeStall()]
        result.withLock { [seen] in $0 = seen }
      }
    }
    thread.join()
    #expect(result.withLock { $0 } == [true, false, true, false, false, false])
    #expect([installed, late].map { EventFD.drainedCount($0) } == [1, 0])
  }
}

extension EventFD {
  /// How often it was signalled.
  fileprivate static func drainedCount(_ number: Int32) -> UInt64 {
    var count: UInt64 = 0
    return read(number, &count, 8) == 8 ? count : 0
  }
}
