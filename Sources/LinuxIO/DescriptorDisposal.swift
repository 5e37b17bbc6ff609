import CLinux
import Glibc

/// Closes descriptors that a peer sent and nobody took.
///
/// Closing may wait: for the server of a file system that the peer runs itself (FUSE), or for a connection that lingers
/// (`SO_LINGER`), for as long as the peer likes. What surely does not wait, eventfds and shared memory, is closed at once;
/// everything else by a thread of its own, which begins with the first.
enum DescriptorDisposal {
  /// Descriptors that wait at most. A thread that brings more closes them itself, and waits if it must: it serves the
  /// client that sends such things, and others must not run out of descriptors.
  static let backlogLimit = 256

  private static let shared: Closer? = Closer()

  /// Closes a descriptor that came from a peer.
  static func close(_ number: Int32) {
    let isHarmless = clinux_get_seals(number) >= 0 || EventFD.isEventFD(number)
    if isHarmless || shared?.take(number) != true { _ = Glibc.close(number) }
  }

  private final class Closer: Sendable {
    private let queue: Queue
    private let thread: Thread

    private final class Queue: Sendable {
      let numbers = Locked<[Int32]>([])
      let event: EventFD

      init() throws(Errno) { event = try EventFD() }

      func run() {
        while true {
          event.wait()
          event.drain()
          // They stay in the list until they are closed, so that a limit is one.
          while let number = numbers.withLock({ $0.first }) {
            _ = Glibc.close(number)
            numbers.withLock { _ = $0.removeFirst() }
          }
        }
      }
    }

    init?() {
      do throws(Errno) {
        let queue = try Queue()
        self.queue = queue
        thread = try Thread(name: "nvmed-close") { queue.run() }
      } catch {
        return nil
      }
    }

    /// Takes a descriptor, unless too many wait.
    func take(_ number: Int32) -> Bool {
      let isTaken = queue.numbers.withLock { numbers in
        guard numbers.count < DescriptorDisposal.backlogLimit else { return false }
        numbers.append(number)
        return true
      }
      if isTaken { queue.event.signal() }
      return isTaken
    }
  }
}

extension FileDescriptor {
  /// Closes a descriptor that a peer sent and that is of no use, without waiting for what the peer may have behind it.
  public consuming func dispose() { DescriptorDisposal.close(release()) }
}
