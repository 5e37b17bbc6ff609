import CLinux
import Glibc
import Testing

@testable import LinuxIO

@Suite struct EpollTests {
  @Test func tellsTokenAndEventOfWhatIsReady() throws {
    let epoll = try Epoll()
    let quiet = try EventFD()
    let loud = try EventFD()
    try epoll.add(quiet.rawValue, .readable, token: 1)
    try epoll.add(loud.rawValue, .readable, token: UInt64.max)
    var events = EpollEvents()
    epoll.wait(timeout: 0, into: &events)
    #expect(events.count == 0)

    loud.signal()
    epoll.wait(timeout: -1, into: &events)
    #expect(events.count == 1)
    #expect(events[0].token == UInt64.max)
    #expect(events[0].events == .readable)
    // Level-triggered: told again as long as it is so, and an empty wait leaves nothing of the one before.
    epoll.wait(timeout: 0, into: &events)
    #expect(events.count == 1)
    loud.drain()
    epoll.wait(timeout: 0, into: &events)
    #expect(events.count == 0)
  }

  @Test func anEdgeIsToldOnce() throws {
    let epoll = try Epoll()
    let event = try EventFD()
    try epoll.add(event.rawValue, [.readable, .edge], token: 7)
    var events = EpollEvents()
    for _ in 0..<2 {
      event.signal()
      epoll.wait(timeout: -1, into: &events)
      #expect(events.count == 1)
      // It was not drained, and yet there is nothing new; the next signal is a new edge.
      epoll.wait(timeout: 0, into: &events)
      #expect(events.count == 0)
    }
    #expect(event.drain() == 2)
  }

  @Test func modifyReplacesEventsAndToken() throws {
    let epoll = try Epoll()
    let pair = try UnixSocketPair()
    try epoll.add(pair.first.rawValue, .readable, token: 1)
    var events = EpollEvents()
    epoll.wait(timeout: 0, into: &events)
    #expect(events.count == 0)
    try epoll.modify(pair.first.rawValue, [.readable, .writable], token: 2)
    epoll.wait(timeout: 0, into: &events)
    #expect(events.count == 1)
    #expect(events[0].token == 2)
    #expect(events[0].events == .writable)
    epoll.remove(pair.first.rawValue)
    epoll.wait(timeout: 0, into: &events)
    #expect(events.count == 0)
    epoll.remove(pair.first.rawValue)
  }

  @Test func tellsThatThePeerIsGone() throws {
    let epoll = try Epoll()
    let pair = try UnixSocketPair()
    let near = pair.first
    var far: FileDescriptor? = pair.second
    try epoll.add(near.rawValue, [.readable, .peerHangup], token: 3)
    var events = EpollEvents()
    far.withNumber { #expect(shutdown($0, Int32(SHUT_WR)) == 0) }
    epoll.wait(timeout: 0, into: &events)
    #expect(events.count == 1)
    #expect(events[0].events == [.readable, .peerHangup])
    far = nil
    epoll.wait(timeout: 0, into: &events)
    #expect(events.count == 1)
    #expect(events[0].events == [.readable, .peerHangup, .hangup])

    // The end of the writer of a pipe is an error for the writing end, told without being asked for.
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    let writing = FileDescriptor(owning: ends[1])
    try epoll.add(writing.rawValue, [], token: 4)
    close(ends[0])
    epoll.remove(near.rawValue)
    epoll.wait(timeout: 0, into: &events)
    #expect(events.count == 1)
    #expect(events[0].events == .error)
  }

  @Test func aFullBufferLeavesTheRestForTheNextWait() throws {
    let epoll = try Epoll()
    let signalled = FixedTable<EventFD?>(count: 5) { _ in try? EventFD() }
    for index in 0..<5 {
      let number = signalled[index].withNumber { $0 }
      EventFD.signal(rawValue: number)
      try epoll.add(number, [.readable, .edge], token: UInt64(index))
    }
    var events = EpollEvents(capacity: 2)
    var tokens: Set<UInt64> = []
    for expected in [2, 2, 1, 0] {
      epoll.wait(timeout: 0, into: &events)
      #expect(events.count == expected)
      for index in 0..<events.count { tokens.insert(events[index].token) }
    }
    #expect(tokens == [0, 1, 2, 3, 4])
  }

  @Test func wakesForAnotherThread() throws {
    let epoll = try Epoll()
    let event = try EventFD()
    try epoll.add(event.rawValue, .readable, token: 9)
    let number = event.rawValue
    let thread = try Thread(name: "wakes") { EventFD.signal(rawValue: number) }
    var events = EpollEvents()
    epoll.wait(timeout: 60_000, into: &events)
    thread.join()
    #expect(events.count == 1)
  }

  @Test func refusesWhatCannotBeWatched() throws {
    let epoll = try Epoll()
    let file = try FileDescriptor(path: "/proc/self/exe", flags: O_RDONLY)
    #expect(throws: Errno.notPermitted) { try epoll.add(file.rawValue, .readable, token: 0) }
    #expect(throws: Errno.badFileDescriptor) { try epoll.add(-1, .readable, token: 0) }
    let event = try EventFD()
    #expect(throws: Errno.noSuchFile) { try epoll.modify(event.rawValue, .readable, token: 0) }
    try epoll.add(event.rawValue, .readable, token: 0)
    #expect(throws: Errno.fileExists) { try epoll.add(event.rawValue, .readable, token: 1) }
  }

  @Test func eventBitsAreThoseOfTheKernel() {
    #expect(Epoll.Events.readable.rawValue == EPOLLIN.rawValue)
    #expect(Epoll.Events.writable.rawValue == EPOLLOUT.rawValue)
    #expect(Epoll.Events.error.rawValue == EPOLLERR.rawValue)
    #expect(Epoll.Events.hangup.rawValue == EPOLLHUP.rawValue)
    #expect(Epoll.Events.peerHangup.rawValue == EPOLLRDHUP.rawValue)
    #expect(Epoll.Events.edge.rawValue == EPOLLET.rawValue)
  }

  @Test func anEventThatDidNotHappenCannotBeRead() async {
    await #expect(processExitsWith: .failure) {
      let epoll = try Epoll()
      var events = EpollEvents()
      epoll.wait(timeout: 0, into: &events)
      _ = events[0]
    }
  }
}

extension Optional where Wrapped: ~Copyable {
  /// Lends what is there, if anything.
  fileprivate borrowing func lend<Result>(_ body: (borrowing Wrapped) -> Result) -> Result? {
    switch self {
    case .none: nil
    case .some(let value): body(value)
    }
  }
}

extension Optional where Wrapped == FileDescriptor {
  fileprivate borrowing func withNumber<Result>(_ body: (Int32) -> Result) -> Result {
    body(lend { $0.rawValue } ?? -1)
  }
}

extension Optional where Wrapped == EventFD {
  fileprivate borrowing func withNumber<Result>(_ body: (Int32) -> Result) -> Result {
    body(lend { $0.rawValue } ?? -1)
  }
}
