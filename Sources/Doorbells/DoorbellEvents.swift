import LinuxIO

/// The eventfds that announce doorbells of one controller to one I/O thread.
public final class DoorbellEvents: Sendable {
  /// Signalled after a submission queue tail was stored.
  public let submission: EventFD
  /// Signalled after a completion queue head was stored; watched only while a completion queue is full, so that the
  /// greater half of all doorbells wakes nobody.
  public let completion: EventFD

  /// Signalled for a submission queue tail whose value is in guest memory (`ShadowDoorbellMode.required`); apart from
  /// `submission`, as a signal here without such memory means that a value is lost.
  /// Its number, or nil where there is none.
  public let valueless: Int32?
  private let valuelessEvent: EventFD?

  /// Creates them.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public init(hasValueless: Bool = false) throws(Errno) {
    submission = try EventFD()
    completion = try EventFD()
    guard hasValueless else {
      valueless = nil
      valuelessEvent = nil
      return
    }
    let event = try EventFD()
    valueless = event.rawValue
    valuelessEvent = consume event
  }
}
