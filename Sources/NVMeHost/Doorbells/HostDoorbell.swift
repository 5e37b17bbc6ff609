import LinuxIO
import VFIOUser

/// One doorbell register as the host rings it: a store, a store and a signal, or a message.
///
/// What it writes to lives as long as the doorbell does. One thread at a time; different doorbells from different
/// threads.
public struct HostDoorbell: Sendable {
  /// Where the register lies in BAR0.
  public let offset: UInt64
  /// The slot or the mapped register; nil: it is rung by message.
  @usableFromInline let word: SharedWord?
  /// The eventfd to signal after the store; -1: none.
  @usableFromInline let eventfd: Int32
  /// Its words in guest memory, where it has some.
  @usableFromInline let shadow: HostShadowDoorbell?
  private let connection: HostConnection
  private let posted: Bool
  /// Keeps mapping and eventfd.
  private let owner: DoorbellMemory?

  init(
    offset: UInt64, word: SharedWord?, eventfd: Int32, shadow: HostShadowDoorbell?, connection: HostConnection,
    posted: Bool, owner: DoorbellMemory?
  ) {
    self.offset = offset
    self.word = word
    self.eventfd = eventfd
    self.shadow = shadow
    self.connection = connection
    self.posted = posted
    self.owner = owner
  }

  /// Whether ringing it costs a message.
  public var isMessage: Bool { word == nil && eventfd < 0 }

  /// Writes a value of 32 bits, as a guest's write to the register would arrive.
  ///
  /// A server that has gone is noticed by whoever waits for a completion.
  @inlinable @inline(__always)
  public func ring(_ value: UInt32) {
    if announces(value) { writeRegister(value) }
  }

  /// Stores a value in memory, where the doorbell is kept there.
  ///
  /// - Returns: whether the register must be written too: always where it is not.
  @inlinable @inline(__always)
  public func announces(_ value: UInt32) -> Bool { shadow?.store(value) ?? true }

  /// Writes the register, whatever memory says.
  @inlinable @inline(__always)
  public func writeRegister(_ value: UInt32) {
    guard let word else { return eventfd >= 0 ? EventFD.signal(rawValue: eventfd) : send(value) }
    word.store(value)
    if eventfd >= 0 { EventFD.signal(rawValue: eventfd) }
  }

  /// Only the store, without the signal that must follow it; nothing for a doorbell that is rung by message.
  public func storeOnly(_ value: UInt32) { word?.store(value) }

  /// Only the signal, without a store before it; nothing where there is no eventfd.
  public func signalOnly() { if eventfd >= 0 { EventFD.signal(rawValue: eventfd) } }

  @usableFromInline @inline(never)
  func send(_ value: UInt32) { _ = try? send(value, posted: posted) }

  /// Writes a value by message, whatever the way that `ring` takes: as a VMM does for which KVM does not know the
  /// doorbell.
  ///
  /// - Parameters:
  ///   - value: a tail or a head.
  ///   - posted: whether no reply is awaited. The value may then come after one that is stored later.
  /// - Throws: `message`, `disconnected`.
  public func send(_ value: UInt32, posted: Bool) throws(HostError) {
    try connection.withClient { (client) throws(Errno) in
      try client.regionWrite(.bar0, offset: offset, RegionData(UInt64(value), count: 4), posted: posted)
    }
  }
}
