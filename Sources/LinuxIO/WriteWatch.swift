import CLinux

/// Sees to it that no thread waits in a write to an eventfd whose open file a peer has too.
///
/// Whether a write waits is a property of the open file (`O_NONBLOCK`), which a hostile peer can change after the eventfd
/// was adopted; then it fills the counter. The kernel has no write to an eventfd that never waits. So who writes is
/// watched: a thread that is found in a write, and in the same one a little later, is interrupted, `EventFD.signalPeer`
/// says false, and the caller parts with that peer. So is one that is found in writes again and again, as a peer may
/// have each wait for a moment only. A write that does not wait is not interrupted by being taken for one that does.
///
/// A thread of its own looks while others write, and sleeps when nobody has written for a while: an idle process stays
/// idle.
public enum WriteWatch {
  /// ms between two looks.
  public static let interval: Int32 = 20
  /// ms after which a write that was seen at a look is looked for again.
  private static let recheck: Int32 = 1
  /// What a thread is suspected of at most: each look that finds it in a write adds 2, and each other takes 1 away. At
  /// the most it is interrupted in whatever write it is found: who waits in more than a third of all looks is.
  private static let mostSuspicion = 8
  /// Looks at which nobody had written before the next is left to who writes again.
  private static let quietLooks = 10

  /// The process's; nil where it cannot be had.
  private static let shared: Watcher? = Watcher()

  /// Has the calling thread watched while it runs `body`.
  public static func watched<Result>(_ body: () -> Result) -> Result {
    guard shared != nil, clinux_writer_enter() >= 0 else { return body() }
    defer { clinux_writer_leave() }
    return body()
  }

  /// Whether the thread that looks sleeps until somebody writes.
  static var isResting: Bool { clinux_writers_are_resting() }

  private final class Watcher: Sendable {
    private let thread: Thread

    init?() {
      do throws(Errno) {
        let wake = try EventFD()
        guard clinux_writers_install(wake.rawValue) == 0 else { return nil }
        // It is never closed: every thread that writes knows its number.
        let number = wake.release()
        thread = try Thread(name: "nvmed-watch") { Watcher.run(wake: number) }
      } catch {
        return nil
      }
    }

    private static func run(wake: Int32) {
      var phases = [UInt32](repeating: 0, count: Int(CLINUX_WRITERS))
      var suspicion = [Int](repeating: 0, count: Int(CLINUX_WRITERS))
      var quiet = 0
      while true {
        if quiet == quietLooks {
          // Said first, and then looked for writes that have not seen it.
          clinux_writers_rest(true)
          if look(&phases, &suspicion) { clinux_writers_rest(false) } else { EventFD.wait(rawValue: wake, timeout: -1) }
          quiet = 0
        }
        EventFD.drain(rawValue: wake)
        EventFD.wait(rawValue: wake, timeout: interval)
        let isBusy = look(&phases, &suspicion)
        quiet = isBusy ? 0 : quiet + 1
        guard phases.contains(where: { $0 % 2 == 1 }) else { continue }
        EventFD.wait(rawValue: wake, timeout: recheck)
        for (place, phase) in phases.enumerated() where phase % 2 == 1 {
          // (compared with what it is now)
          clinux_writer_interrupt(Int32(place), phase)
        }
      }
    }

    /// Looks who writes, and interrupts who does so at most looks.
    ///
    /// - Returns: whether anybody has written since the last look, or writes now.
    private static func look(_ phases: inout [UInt32], _ suspicion: inout [Int]) -> Bool {
      var isBusy = false
      for place in 0..<clinux_writer_count() {
        let phase = clinux_writer_phase(place)
        let index = Int(place)
        if phase != phases[index] { isBusy = true }
        phases[index] = phase
        guard phase % 2 == 1 else {
          suspicion[index] = max(suspicion[index] - 1, 0)
          continue
        }
        isBusy = true
        suspicion[index] = min(suspicion[index] + 2, mostSuspicion)
        if suspicion[index] == mostSuspicion { clinux_writer_interrupt(place, phase) }
      }
      return isBusy
    }
  }
}
