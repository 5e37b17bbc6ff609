import LinuxIO

/// Waits for the interrupts of one vector.
///
/// It is edge-triggered: each signal ends one wait, so that nothing has to be read, and that several queues can wait for
/// the same vector, each on its thread. One thread at a time; it shares nothing with other waiters but the vector.
struct InterruptWaiter: ~Copyable, @unchecked Sendable {
  private let vector: InterruptVector
  private let epoll: Epoll
  private var events = EpollEvents(capacity: 1)

  init(_ vector: InterruptVector) throws(HostError) {
    self.vector = vector
    epoll = try system { () throws(Errno) in
      let epoll = try Epoll()
      try epoll.add(vector.event.rawValue, [.readable, .edge], token: 0)
      return epoll
    }
  }

  /// Waits for a signal that no wait has seen yet; false after `milliseconds`.
  mutating func wait(milliseconds: Int32) -> Bool {
    epoll.wait(timeout: milliseconds, into: &events)
    return events.count > 0
  }
}
