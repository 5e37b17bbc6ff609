import LinuxIO

/// One doorbell's words in the two pages of Doorbell Buffer Config: the host stores its value in one, and asks the other
/// whether it has to write the register too.
///
/// The host writes the register only where its value passes the event index, so an I/O thread that looks at the value
/// anyway leaves the index behind and costs the guest no exit. Before it sleeps, it must `ask`. Both words lie in guest
/// memory: what they hold is untrusted.
/// Source: NVMe base specification 2.0, section 5.8 and Annex B.5.
@frozen public struct ShadowDoorbell: Sendable {
  /// The value, in place of the register's.
  public let value: QueueDoorbell
  private let valueWord: SharedWord
  private let eventIndex: SharedWord

  /// The doorbell whose words these are.
  public init(value: SharedWord, eventIndex: SharedWord) {
    self.value = QueueDoorbell(value)
    valueWord = value
    self.eventIndex = eventIndex
  }

  /// Gives a queue that already runs its value, unless the host stores a newer one at this moment.
  public func begin(at index: Int) {
    let stale = valueWord.load()
    valueWord.replace(stale, with: UInt32(truncatingIfNeeded: index))
    ask(after: index)
  }

  /// Has the host write the register as soon as its value moves on from `index`. Load the value after this, not before:
  /// what the host stored earlier it does not announce.
  ///
  /// Store and load must not change places, on either side, which only a full fence forbids.
  public func ask(after index: Int) {
    eventIndex.store(UInt32(truncatingIfNeeded: index))
    SharedWord.fullFence()
  }

  /// Zeros for a new queue: before the host may ring.
  public func clear() {
    valueWord.store(0)
    eventIndex.store(0)
  }
}
