import CLinux
import Glibc

/// An `eventfd(2)`: a 64-bit counter that a waiter can poll. Any thread may signal it.
public struct EventFD: ~Copyable, Sendable {
  /// The descriptor behind it.
  public let descriptor: FileDescriptor

  /// The descriptor's number.
  public var rawValue: Int32 { descriptor.rawValue }

  /// Creates a non-blocking eventfd with counter 0.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public init() throws(Errno) {
    descriptor = FileDescriptor(
      owning: try checked { eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK)) })
  }

  /// Takes an eventfd that a peer handed over.
  ///
  /// Writing eight bytes to a pipe, socket or file could block or do harm, so the kernel is asked what the descriptor
  /// is (`/proc/self/fdinfo`); and it is made non-blocking, as a full counter would otherwise stop the writer. The peer
  /// may undo that: see `WriteWatch`.
  ///
  /// - Throws: `EINVAL` where it is no eventfd.
  public init(adopting descriptor: consuming FileDescriptor) throws(Errno) {
    guard EventFD.isEventFD(descriptor.rawValue) else {
      descriptor.dispose()
      throw .invalidArgument
    }
    try descriptor.setNonBlocking()
    self.descriptor = descriptor
  }

  private init(own descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

  /// Gives the eventfd up: the caller must close it.
  public consuming func release() -> Int32 { descriptor.release() }

  /// A second owner of the same counter.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public borrowing func duplicate() throws(Errno) -> EventFD { EventFD(own: try descriptor.duplicate()) }

  /// Adds 1 to the counter. A full counter is as good as signalled, so `EAGAIN` is no error.
  @inlinable
  public borrowing func signal() { EventFD.signal(rawValue: descriptor.rawValue) }

  /// Adds 1 to the counter of the eventfd numbered `rawValue`, whose owner the caller keeps alive.
  public static func signal(rawValue: Int32) {
    clinux_eventfd_signal(rawValue)
  }

  /// Adds 1 to the counter of an eventfd that a peer has too.
  ///
  /// - Returns: false where the peer has made it a blocking one and filled it, so that the write waited: `WriteWatch` has
  ///   interrupted it, in a thread that is watched. In others it waits.
  public borrowing func signalPeer() -> Bool { EventFD.signalPeer(rawValue: descriptor.rawValue) }

  /// Adds 1 to the counter of the eventfd numbered `rawValue`, which a peer has too and whose owner the caller keeps alive.
  ///
  /// - Returns: as that of an owner.
  public static func signalPeer(rawValue: Int32) -> Bool { clinux_eventfd_signal_peer(rawValue) == 0 }

  /// Reads and clears the counter; 0 where it was not signalled. Never waits, whatever a peer has made of the eventfd.
  @discardableResult
  public borrowing func drain() -> UInt64 { EventFD.drain(rawValue: descriptor.rawValue) }

  /// Reads and clears the counter of the eventfd numbered `rawValue`, whose owner the caller keeps alive. Never waits.
  @discardableResult
  public static func drain(rawValue: Int32) -> UInt64 { clinux_eventfd_drain(rawValue) }

  /// Blocks until the counter is not 0. For threads that may block.
  ///
  /// - Parameter timeout: milliseconds; -1 waits for ever.
  /// - Returns: whether it was signalled.
  @discardableResult
  public borrowing func wait(timeout: Int32 = -1) -> Bool {
    EventFD.wait(rawValue: descriptor.rawValue, timeout: timeout)
  }

  /// Blocks until the counter of the eventfd numbered `rawValue`, whose owner the caller keeps alive, is not 0.
  ///
  /// - Parameters:
  ///   - rawValue: its number.
  ///   - timeout: milliseconds; -1 waits for ever.
  /// - Returns: whether it was signalled.
  @discardableResult
  public static func wait(rawValue: Int32, timeout: Int32) -> Bool {
    var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
    while true {
      let result = unsafe poll(&entry, 1, timeout)
      if result >= 0 { return result == 1 }
      if Errno.current != .interrupted { return false }
    }
  }

  /// Whether the kernel shows the descriptor as an eventfd.
  public static func isEventFD(_ rawValue: Int32) -> Bool { count(rawValue: rawValue) != nil }

  /// The counter of the eventfd numbered `rawValue`, without reading and clearing it; nil where it is no eventfd.
  ///
  /// As `/proc/self/fdinfo` shows it: a look for statistics, which no waiter notices.
  public static func count(rawValue: Int32) -> UInt64? {
    guard let info = unsafe fopen("/proc/self/fdinfo/\(rawValue)", "re") else { return nil }
    defer { unsafe fclose(info) }
    let name = "eventfd-count:"
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { line in
      while unsafe fgets(line.baseAddress, 256, info) != nil {
        guard let base = line.baseAddress, unsafe strncmp(base, name, name.utf8.count) == 0 else { continue }
        return unsafe UInt64(strtoull(base + name.utf8.count, nil, 16))
      }
      return nil
    }
  }
}
