import LinuxIO

/// An interrupt vector: the eventfd that the server signals in place of the MSI-X message.
///
/// Its counter tells how many interrupts came since it was drained; waiting does not drain it.
public final class InterruptVector: Sendable {
  /// The number of the vector.
  public let number: UInt16
  /// The eventfd.
  public let event: EventFD

  /// Creates a vector that nobody has been told of.
  ///
  /// - Throws: `system`.
  public init(number: UInt16) throws(HostError) {
    self.number = number
    event = try system { () throws(Errno) in try EventFD() }
  }
}
