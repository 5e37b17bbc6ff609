/// How a doorbell of an I/O queue arrived.
public enum DoorbellPath: String, Sendable, Codable, CodingKeyRepresentable, CaseIterable {
  /// A register write as a message over the client's socket. Each is counted.
  case message
  /// A register write that signalled an eventfd, its value in a slot (POST_WRITE, eBPF) or in guest memory. Each is
  /// counted, also where several woke the I/O thread once.
  case slot
  /// A store into the page that the client maps in place of the registers: new submission queue tails as the I/O thread
  /// saw them, which may be fewer than were stored.
  case polled
  /// A store into the guest's shadow doorbell buffer (Doorbell Buffer Config): as for `polled`.
  case shadow
}
