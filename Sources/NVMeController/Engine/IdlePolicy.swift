/// How long an I/O thread goes on looking for work before it sleeps.
///
/// Event-driven: after work it looks on for a window that tunes itself. A sleep that ended within `spinLimit` shows that
/// looking on would have been worth it, and sets the window to twice its length; a window that passed in vain is halved.
/// So a thread whose next command follows at once does not sleep, and an idle one neither wakes nor spins. While the disk
/// has requests it sleeps at once: that takes longer than a wake-up, and the CPU may be what the disk's driver waits for.
///
/// Polled: a stored doorbell raises no event, so the thread looks on for `busyTime`, then sleeps in steps that double up
/// to `sleepLimit`, which is what a first command may have to wait.
struct IdlePolicy {
  /// What to do until the next look.
  enum Pause: Equatable {
    /// Look again at once.
    case none
    /// Sleep so many ns, or until an event.
    case sleep(UInt64)
    /// Sleep until an event.
    case untilEvent

    /// The pause, ended at `deadline` at the latest.
    func limited(to deadline: UInt64, now: UInt64) -> Pause {
      guard deadline > now else { return .none }
      switch self {
      case .none: return .none
      case .sleep(let time): return .sleep(min(time, deadline - now))
      case .untilEvent: return .sleep(deadline - now)
      }
    }
  }

  /// ns that a polled controller is looked at without a pause after its last command.
  static var busyTime: UInt64 { 200_000 }
  /// ns of the first pause of a polled controller.
  static var firstSleep: UInt64 { 10_000 }

  /// ns: the longest window of the event-driven mode; 0: it never looks on.
  let spinLimit: UInt64
  /// ns: the longest pause of the polled mode.
  let sleepLimit: UInt64
  private(set) var window: UInt64 = 0
  private var idleSince: UInt64?
  private var step: UInt64 = 0
  /// Whether the sleep waits for the guest, and so tells something about the window.
  private var tunes = false

  init(spinLimit: UInt64, sleepLimit: UInt64) {
    self.spinLimit = spinLimit
    self.sleepLimit = max(sleepLimit, 1)
  }

  /// The thread found work.
  mutating func worked() {
    idleSince = nil
    step = 0
  }

  /// The thread found nothing to do.
  ///
  /// - Parameters:
  ///   - now: CLOCK_MONOTONIC in ns.
  ///   - isPolled: whether a controller has to be looked at.
  ///   - isStorageBusy: whether requests are in flight, whose completion is an event.
  mutating func pause(now: UInt64, isPolled: Bool, isStorageBusy: Bool) -> Pause {
    let since = idleSince ?? now
    idleSince = since
    let idle = now &- since
    if isPolled {
      if idle < IdlePolicy.busyTime { return .none }
      step = min(sleepLimit, step == 0 ? IdlePolicy.firstSleep : step * 2)
      return .sleep(step)
    }
    tunes = !isStorageBusy
    if tunes {
      if idle < window { return .none }
      window /= 2
    }
    idleSince = nil
    return .untilEvent
  }

  /// A sleep until an event has ended after so many ns.
  mutating func slept(_ time: UInt64) {
    if tunes, time < spinLimit { window = min(spinLimit, max(window, time * 2)) }
  }
}
