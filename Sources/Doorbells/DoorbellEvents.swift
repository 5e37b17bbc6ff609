import LinuxIO

/// The eventfds that announce doorbells of one controller to one I/O thread.
public final class DoorbellEvents: Sendable {
  /// Signalled after a submission queue tail was stored.
  public let submission: EventFD
  /// Signalled after a completion queue head was stored; watched only while a completion queue is full, so that the
  /// greater half of all doorbells wakes nobody.
  public let completion: EventFD

  /// Creates both.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public init() throws(Errno) {
    submission = try EventFD()
    completion = try EventFD()
  }
}
