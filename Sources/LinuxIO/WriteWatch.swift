import CLinux

/// Sees to it that no thread waits in a write to an eventfd whose open file a peer has too.
///
/// Whether a write waits is a property of the open file (`O_NONBLOCK`), which a hostile peer can change after the eventfd
/// was adopted; then it fills the counter. The kernel has no write to an eventfd that never waits. So who writes is
/// watched: a thread that is found in the same write at two looks is interrupted, `EventFD.signalPeer` says false, and
/// the caller parts with that peer.
///
/// A thread of its own looks while others write, and sleeps when nobody has written for a while: an idle process stays
/// idle.
public enum WriteWatch {
  /// ms between two looks: a write waits for two of them at most.
  public static let interval: Int32 = 20
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
      var quiet = 0
      while true {
        if quiet == quietLooks {
          // Said first, and then looked for writes that have not seen it.
          clinux_writers_rest(true)
          if look(&phases) { clinux_writers_rest(false) } else { EventFD.wait(rawValue: wake, timeout: -1) }
          quiet = 0
        }
        EventFD.drain(rawValue: wake)
        EventFD.wait(rawValue: wake, timeout: interval)
        quiet = look(&phases) ? 0 : quiet + 1
      }
    }

    /// Interrupts writes that were there at the last look.
    ///
    /// - Returns: whether anybody has written since, or writes now.
    private static func look(_ phases: inout [UInt32]) -> Bool {
      var isBusy = false
      for place in 0..<clinux_writer_count() {
        let phase = clinux_writer_phase(place)
        if phase % 2 == 1 {
          isBusy = true
          if phase == phases[Int(place)] { clinux_writer_interrupt(place, phase) }
        } else if phase != phases[Int(place)] {
          isBusy = true
        }
        phases[Int(place)] = phase
      }
      return isBusy
    }
  }
}
