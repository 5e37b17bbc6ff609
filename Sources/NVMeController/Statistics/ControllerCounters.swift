import Doorbells
import LinuxIO
import Synchronization

/// What the threads of one controller count for it. Any thread reads; the control thread counts messages.
public final class ControllerCounters: Sendable {
  let ports: [PortCounters]
  private let events: [DoorbellEvents]
  private let messages = Atomic<UInt64>(0)
  /// Those of them that signalled an eventfd which clients may signal as well.
  private let messageSignals = Atomic<UInt64>(0)
  /// Register writes without a message, as of the last look.
  private let slotDoorbells = Locked<UInt64>(0)

  /// Nothing counted, for a controller whose doorbells are announced by `events`, one for each I/O thread.
  ///
  /// - Throws: `ENOMEM` where there is no memory.
  init(_ events: [DoorbellEvents]) throws(Errno) {
    var ports: [PortCounters] = []
    for _ in events { ports.append(try PortCounters()) }
    self.ports = ports
    self.events = events
  }

  /// Counts a doorbell that came by message. On the control thread.
  ///
  /// - Parameter isSignalled: whether an I/O thread's eventfd was signalled for it.
  func countMessage(isSignalled: Bool) {
    messages.store(messages.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    if isSignalled { messageSignals.store(messageSignals.load(ordering: .relaxed) &+ 1, ordering: .releasing) }
  }

  /// All that is counted, as of now. Any thread.
  public var statistics: ControllerStatistics {
    var statistics = commandStatistics
    let byMessage = messages.load(ordering: .relaxed)
    if byMessage > 0 { statistics.doorbells[.message] = byMessage }
    let bySlot = countSlotDoorbells()
    if bySlot > 0 { statistics.doorbells[.slot] = bySlot }
    return statistics
  }

  /// The same without doorbells by message and slot, which take a look into the kernel.
  var commandStatistics: ControllerStatistics {
    var statistics = ControllerStatistics()
    for port in ports { statistics.merge(port.statistics) }
    return statistics
  }

  /// Register writes without a message: what the eventfds of doorbells have counted, less what messages signalled.
  ///
  /// The I/O threads never read the eventfds of tails, whose counters therefore hold all signals there ever were. A look
  /// into `/proc` leaves them alone, where reading one could swallow an edge that its thread has not seen.
  private func countSlotDoorbells() -> UInt64 {
    slotDoorbells.withLock { known in
      let byMessage = messageSignals.load(ordering: .acquiring)
      var signals: UInt64 = 0
      func add(_ count: UInt64) {
        // The client has the eventfds too, and may have written anything.
        let (sum, overflows) = signals.addingReportingOverflow(count)
        signals = overflows ? UInt64.max : sum
      }
      for (port, events) in zip(ports, events) {
        add(port.headSignals)
        add(EventFD.count(rawValue: events.submission.rawValue) ?? 0)
        add(EventFD.count(rawValue: events.completion.rawValue) ?? 0)
        if let valueless = events.valueless { add(EventFD.count(rawValue: valueless) ?? 0) }
      }
      // Never less than before, though the parts were not read at one moment.
      if signals > byMessage { known = max(known, signals - byMessage) }
      return known
    }
  }
}
