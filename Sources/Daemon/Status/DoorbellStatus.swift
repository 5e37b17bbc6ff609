/// How the doorbells of a controller come.
public struct DoorbellStatus: Codable, Sendable, Equatable {
  /// The way that the values of I/O queue doorbells take.
  public enum Path: String, Codable, Sendable, CaseIterable {
    /// No client is connected, or it has not asked yet.
    case none
    /// Messages on the socket.
    case messages
    /// Slots in shared memory, which KVM (POST_WRITE) or the client fills, and eventfds.
    case slots
    /// Slots that an eBPF program of the daemon fills, and KVM's eventfds.
    case traced
    /// A page that the client stores into and an I/O thread looks at.
    case page
    /// The guest's memory (Doorbell Buffer Config).
    case shadow
  }

  /// How doorbells may be rung beside messages, as configured.
  public var choice: DoorbellChoice
  /// How their values may arrive, as configured.
  public var postWrite: PostWriteChoice
  /// Whether they may lie in guest memory, as configured.
  public var shadowDoorbells: String
  /// The way in use.
  public var path: Path
}
