import CLinux
import Glibc
import Testing

@testable import LinuxIO

/// Eventfds that a hostile peer has as well.
@Suite struct WriteWatchTests {
  private static let patience: Int32 = 60_000

  /// An eventfd that was adopted, and that the peer then made a blocking one again, with a counter of its choice.
  private func trap(_ count: UInt64) throws -> EventFD {
    let event = try EventFD(adopting: FileDescriptor(owning: eventfd(0, 0)))
    #expect(fcntl(event.rawValue, F_SETFL, 0) == 0)
    var count = count
    if count > 0 { #expect(write(event.rawValue, &count, 8) == 8) }
    return event
  }

  /// Runs `body` on a thread, which may hang for ever.
  ///
  /// - Returns: nil where it did.
  private func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) throws -> Result? {
    let over = try EventFD()
    let number = try over.duplicate().release()
    let result = Locked<Result?>(nil)
    let thread = try Thread(name: "test") {
      let value = body()
      result.withLock { $0 = value }
      EventFD.signal(rawValue: number)
      close(number)
    }
    guard over.wait(timeout: WriteWatchTests.patience) else { return nil }
    thread.join()
    return result.withLock { $0 }
  }

  @Test func aWriteThatWaitsIsInterrupted() throws {
    let event = try trap(UInt64.max - 1)
    let number = event.rawValue
    let results = try onThread { WriteWatch.watched { (0..<3).map { _ in EventFD.signalPeer(rawValue: number) } } }
    #expect(results == [false, false, false], "nil: it hangs")
    #expect(event.drain() == UInt64.max - 1)
    // With room again it is an eventfd like others.
    #expect(try onThread { WriteWatch.watched { EventFD.signalPeer(rawValue: number) } } == true)
    #expect(event.drain() == 1)
  }

  /// A peer that ends each wait before two looks have seen it, only to begin the next: in µs, how long each is.
  @Test(arguments: [10_000, 200] as [UInt32]) func whoWaitsAgainAndAgainIsInterrupted(_ microseconds: UInt32) throws {
    let event = try trap(UInt64.max - 1)
    let number = event.rawValue
    let isOver = Locked(false)
    let peer = try Thread(name: "peer") {
      while !isOver.withLock({ $0 }) {
        usleep(microseconds)
        // Its own accesses must not wait.
        _ = fcntl(number, F_SETFL, O_NONBLOCK)
        var count: UInt64 = 0
        _ = read(number, &count, 8)
        count = UInt64.max - 2
        _ = write(number, &count, 8)
        _ = fcntl(number, F_SETFL, 0)
      }
    }
    defer {
      isOver.withLock { $0 = true }
      peer.join()
    }
    let deadline = Clock.monotonic + UInt64(WriteWatchTests.patience) / 2 * 1_000_000
    let isInterrupted = try onThread {
      WriteWatch.watched {
        while EventFD.signalPeer(rawValue: number) { guard Clock.monotonic < deadline else { return false } }
        return true
      }
    }
    #expect(isInterrupted == true)
  }

  /// In a process of its own, where nobody else writes.
  @Test func aWriteAfterARestIsWatchedAsWell() async {
    await #expect(processExitsWith: .success) {
      let tests = WriteWatchTests()
      _ = try tests.onThread { WriteWatch.watched {} }
      let deadline = Clock.monotonic + UInt64(WriteWatchTests.patience) * 1_000_000
      while !WriteWatch.isResting { guard Clock.monotonic < deadline else { exit(2) } }
      let event = try tests.trap(UInt64.max - 1)
      let number = event.rawValue
      let isSignalled = try tests.onThread { WriteWatch.watched { EventFD.signalPeer(rawValue: number) } }
      guard isSignalled == false else { exit(3) }
    }
  }

  @Test func writesThatDoNotWaitAreLeftAlone() throws {
    let event = try EventFD()
    let number = event.rawValue
    let succeeded = try onThread {
      WriteWatch.watched { (0..<200_000).allSatisfy { _ in EventFD.signalPeer(rawValue: number) } }
    }
    #expect(succeeded == true)
    #expect(event.drain() == 200_000)
    // A full counter that does not wait is signalled.
    var most = UInt64.max - 1
    #expect(write(number, &most, 8) == 8)
    #expect(try onThread { WriteWatch.watched { EventFD.signalPeer(rawValue: number) } } == true)
  }

  @Test func aReadNeverWaits() throws {
    let event = try trap(0)
    let number = event.rawValue
    #expect(try onThread { EventFD.drain(rawValue: number) } == 0, "nil: it hangs")
    event.signal()
    #expect(try onThread { EventFD.drain(rawValue: number) } == 1)
    // A semaphore gives one at a time.
    let semaphore = FileDescriptor(owning: eventfd(3, Int32(EFD_SEMAPHORE)))
    let other = semaphore.rawValue
    #expect(try onThread { (0..<5).map { _ in EventFD.drain(rawValue: other) } } == [1, 1, 1, 0, 0])
  }

  @Test func aPlaceIsGivenBack() throws {
    for _ in 0..<100 { #expect(try onThread { WriteWatch.watched { true } } == true) }
    #expect(clinux_writer_count() < 50, "places are used again")
  }
}
