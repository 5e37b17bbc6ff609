import Glibc
import LinuxIO
import Synchronization

/// The least that a server of doorbells can be: a thread that counts them. It sleeps between them.
final class DoorbellListener: Sendable {
  /// What the thread waits for.
  enum Source: Sendable {
    /// Messages.
    case messages
    /// The event.
    case event
    /// Nothing: there is no thread, and the event is looked at at the end.
    case nothing
  }

  /// Announces a doorbell that is no message.
  let event: EventFD
  private let memory: SharedMemory
  private let socket: FileDescriptor
  private let heard = Atomic<UInt64>(0)
  private let stopping: EventFD
  private let thread = Locked<Thread?>(nil)

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - socket: where messages come from.
  ///   - cpu: the CPU it runs on; nil: any.
  ///   - source: what it waits for.
  init(_ socket: consuming FileDescriptor, cpu: Int32?, source: Source) throws(Errno) {
    let event = try EventFD()
    let memory = try SharedMemory(name: "doorbell", count: 4096)
    self.event = event
    stopping = try EventFD()
    self.memory = memory
    self.socket = socket
    guard source != .nothing else { return }
    let started = try Thread(name: "server", cpus: cpu.map { [$0] } ?? []) { [self] in
      if source == .messages { readMessages() } else { awaitEvents() }
    }
    thread.withLock { $0 = started }
  }

  /// Where the value of a doorbell is stored that is no message.
  var slot: SharedWord { unsafe SharedWord(at: memory.mapping.base) }

  /// The address of the slot in this process.
  var slotAddress: UInt64 { UInt64(UInt(bitPattern: unsafe memory.mapping.base)) }

  /// Ends the thread, if it was not yet ended.
  ///
  /// - Parameter hangUp: the number of the other end of its socket.
  /// - Returns: how many doorbells it heard of.
  func stop(hangUp: Int32) -> UInt64 {
    // What was sent before is still read.
    _ = shutdown(hangUp, Int32(SHUT_WR))
    stopping.signal()
    thread.withLock { $0.take() }?.join()
    heard.add(event.drain(), ordering: .releasing)
    return heard.load(ordering: .acquiring)
  }

  private func awaitEvents() {
    do throws(Errno) {
      let epoll = try Epoll()
      try epoll.add(event.rawValue, .readable, token: 0)
      try epoll.add(stopping.rawValue, .readable, token: 1)
      var events = EpollEvents()
      var isLast = false
      while !isLast {
        epoll.wait(timeout: -1, into: &events)
        // Before the counter is read: what was signalled before the stop is then in it.
        isLast = stopping.drain() > 0
        let count = event.drain()
        _ = slot.load()
        heard.add(count, ordering: .releasing)
      }
    } catch { return }
  }

  private func readMessages() {
    do throws(Errno) {
      try DoorbellMessages.forEach(socket.rawValue) { _ in heard.add(1, ordering: .releasing) }
    } catch { return }
  }
}
