import Glibc
import LinuxIO
import Synchronization

/// The least that a server can be which answers doorbells: a thread that stores what it hears in the guest's memory, and
/// raises an interrupt.
final class RoundTripServer: Sendable {
  /// How it awaits doorbells.
  enum Source: Sendable {
    /// In `recvmsg`.
    case messages
    /// In `epoll_wait`.
    case event
    /// By looking at the slot.
    case polling
  }

  /// Announces a doorbell.
  let event: EventFD
  /// Raises the guest's interrupt; nothing listens to it where the guest spins.
  let interrupt: EventFD
  private let slot: SharedWord
  private let answer: SharedWord
  private let socket: FileDescriptor
  private let stopping: EventFD
  private let isStopped = Atomic<Bool>(false)
  private let thread = Locked<Thread?>(nil)

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - socket: where messages come from.
  ///   - slot: where values come from otherwise; it outlives the server, as `answer` does.
  ///   - answer: where it answers.
  ///   - cpu: the CPU it runs on; nil: any.
  init(
    _ socket: consuming FileDescriptor, slot: SharedWord, answer: SharedWord, cpu: Int32?, source: Source
  ) throws(Errno) {
    let event = try EventFD()
    let interrupt = try EventFD()
    self.event = event
    self.interrupt = interrupt
    stopping = try EventFD()
    self.slot = slot
    self.answer = answer
    self.socket = socket
    let started = try Thread(name: "server", cpus: cpu.map { [$0] } ?? []) { [self] in
      switch source {
      case .messages: readMessages()
      case .event: awaitEvents()
      case .polling: poll()
      }
    }
    thread.withLock { $0 = started }
  }

  /// Ends the thread, if it was not yet ended.
  ///
  /// - Parameter hangUp: the number of the other end of its socket.
  func stop(hangUp: Int32) {
    _ = shutdown(hangUp, Int32(SHUT_RDWR))
    isStopped.store(true, ordering: .releasing)
    stopping.signal()
    thread.withLock { $0.take() }?.join()
  }

  private func answer(_ value: UInt32) {
    answer.store(value)
    interrupt.signal()
  }

  private func awaitEvents() {
    do throws(Errno) {
      let epoll = try Epoll()
      // As nvmed has it: each store is an edge, and the counter is never read.
      try epoll.add(event.rawValue, [.readable, .edge], token: 0)
      try epoll.add(stopping.rawValue, .readable, token: 1)
      var events = EpollEvents()
      while !isStopped.load(ordering: .acquiring) {
        epoll.wait(timeout: -1, into: &events)
        answer(slot.load())
      }
    } catch { return }
  }

  private func poll() {
    var last: UInt32 = 0
    while !isStopped.load(ordering: .relaxed) {
      let value = slot.load()
      guard value != last else { continue }
      last = value
      answer(value)
    }
  }

  private func readMessages() {
    do throws(Errno) { try DoorbellMessages.forEach(socket.rawValue) { answer($0) } } catch { return }
  }
}
