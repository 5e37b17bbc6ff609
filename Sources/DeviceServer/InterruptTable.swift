import LinuxIO

/// The eventfds that a client has installed for one interrupt index (vfio-user DEVICE_SET_IRQS): their owner.
///
/// Control thread only. An eventfd that was replaced is kept until every thread that signals it has let go of it.
struct InterruptTable: ~Copyable {
  private var events: FixedTable<Slot>

  enum Slot: ~Copyable {
    case none
    case installed(EventFD)
  }

  /// Eventfds that were replaced or taken out; they are closed with it.
  final class Replaced {
    fileprivate var events: [EventFDBox] = []
    fileprivate func keep(_ event: consuming EventFD) { events.append(EventFDBox(event)) }
  }

  fileprivate final class EventFDBox {
    let event: EventFD
    init(_ event: consuming EventFD) { self.event = event }
  }

  /// A table of `count` interrupts without eventfds.
  init(count: Int) { events = FixedTable(count: count) { _ in .none } }

  /// How many interrupts there are.
  var count: Int { events.count }

  /// Installs an eventfd; the one before goes to `replaced`.
  ///
  /// - Returns: its number.
  mutating func install(_ event: consuming EventFD, at index: Int, replaced: Replaced) -> Int32 {
    let number = event.rawValue
    exchange(index, .installed(event), replaced)
    return number
  }

  /// Takes an eventfd out, to `replaced`.
  mutating func remove(_ index: Int, replaced: Replaced) { exchange(index, .none, replaced) }

  private mutating func exchange(_ index: Int, _ slot: consuming Slot, _ replaced: Replaced) {
    var other = slot
    swap(&events[index], &other)
    switch consume other {
    case .none: break
    case .installed(let event): replaced.keep(event)
    }
  }

  /// Signals an interrupt, if an eventfd is installed.
  ///
  /// - Returns: false where the client has made the eventfd wait.
  func signal(_ index: Int) -> Bool {
    switch events[index] {
    case .none: true
    case .installed(let event): event.signalPeer()
    }
  }

  /// Whether an eventfd is installed.
  func isInstalled(_ index: Int) -> Bool {
    switch events[index] {
    case .none: false
    case .installed: true
    }
  }
}
