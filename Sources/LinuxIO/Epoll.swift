import CLinux
import Glibc

/// An `epoll(7)` set. Registration from any thread; waiting from one.
public struct Epoll: ~Copyable, Sendable {
  private let descriptor: FileDescriptor

  /// What a descriptor is watched for: `EPOLL_EVENTS` bits.
  public struct Events: OptionSet, Sendable {
    /// `EPOLL_EVENTS` bits.
    public let rawValue: UInt32
    /// Wraps `EPOLL_EVENTS` bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// `EPOLLIN`.
    public static let readable = Events(rawValue: 0x001)
    /// `EPOLLOUT`.
    public static let writable = Events(rawValue: 0x004)
    /// `EPOLLERR`; always reported.
    public static let error = Events(rawValue: 0x008)
    /// `EPOLLHUP`; always reported.
    public static let hangup = Events(rawValue: 0x010)
    /// `EPOLLET`: told once for each time it becomes ready.
    public static let edge = Events(rawValue: 0x8000_0000)
    /// `EPOLLRDHUP`: the peer shut down its writing half.
    public static let peerHangup = Events(rawValue: 0x2000)
  }

  /// One event of a wait: the token given at registration and what happened.
  public struct Event: Sendable {
    /// The token given to `add`.
    public let token: UInt64
    /// What happened.
    public let events: Events
  }

  /// Creates an empty set.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public init() throws(Errno) {
    descriptor = FileDescriptor(owning: try checked { epoll_create1(Int32(EPOLL_CLOEXEC)) })
  }

  /// Watches a descriptor.
  ///
  /// - Throws: the `errno` of `epoll_ctl(2)`, `EPERM` for plain files.
  public borrowing func add(_ fd: Int32, _ events: Events, token: UInt64) throws(Errno) {
    try control(EPOLL_CTL_ADD, fd, events, token)
  }

  /// Changes what a watched descriptor is watched for.
  ///
  /// - Throws: the `errno` of `epoll_ctl(2)`, `ENOENT` where it is not watched.
  public borrowing func modify(_ fd: Int32, _ events: Events, token: UInt64) throws(Errno) {
    try control(EPOLL_CTL_MOD, fd, events, token)
  }

  /// Stops watching; a descriptor that is not watched is ignored.
  public borrowing func remove(_ fd: Int32) {
    var event = unsafe epoll_event()
    _ = unsafe epoll_ctl(descriptor.rawValue, EPOLL_CTL_DEL, fd, &event)
  }

  private borrowing func control(_ operation: Int32, _ fd: Int32, _ events: Events, _ token: UInt64) throws(Errno) {
    var event = unsafe epoll_event()
    unsafe event.events = events.rawValue
    unsafe event.data.u64 = token
    let set = descriptor.rawValue
    _ = try checked { unsafe epoll_ctl(set, operation, fd, &event) }
  }

  /// Waits for events.
  ///
  /// - Parameters:
  ///   - timeout: milliseconds; -1 waits for ever, 0 only looks.
  ///   - events: takes what happened; emptied first, and left empty after the time-out or an interruption by a signal.
  public borrowing func wait(timeout: Int32, into events: inout EpollEvents) {
    unsafe events.fill { buffer, capacity in unsafe epoll_wait(descriptor.rawValue, buffer, capacity, timeout) }
  }

  /// Waits for events for so many ns, rounded up to ms on kernels before 5.11.
  public borrowing func wait(nanoseconds: UInt64, into events: inout EpollEvents) {
    var time = timespec(
      tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    unsafe events.fill { buffer, capacity in
      let count = unsafe epoll_pwait2(descriptor.rawValue, buffer, capacity, &time, nil)
      guard count < 0, Errno.current.rawValue == ENOSYS else { return count }
      let milliseconds = Int32(clamping: (nanoseconds + 999_999) / 1_000_000)
      return unsafe epoll_wait(descriptor.rawValue, buffer, capacity, milliseconds)
    }
  }
}

/// The events of one wait, in a buffer that is used again for the next.
@safe public struct EpollEvents: ~Copyable {
  private let buffer: UnsafeMutablePointer<epoll_event>
  private let capacity: Int
  /// How many events the last wait gave.
  public private(set) var count = 0

  /// A buffer for at most `capacity` events a wait.
  public init(capacity: Int = 64) {
    self.capacity = capacity
    unsafe buffer = .allocate(capacity: capacity)
    unsafe buffer.initialize(repeating: epoll_event(), count: capacity)
  }

  deinit { unsafe buffer.deallocate() }

  fileprivate mutating func fill(_ wait: (UnsafeMutablePointer<epoll_event>, Int32) -> Int32) {
    count = unsafe max(0, Int(wait(buffer, Int32(capacity))))
  }

  /// The event at `index`, below `count`.
  public subscript(index: Int) -> Epoll.Event {
    precondition(index >= 0 && index < count)
    let event = unsafe buffer[index]
    return unsafe Epoll.Event(token: event.data.u64, events: Epoll.Events(rawValue: event.events))
  }
}
