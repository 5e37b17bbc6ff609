import LinuxIO

/// How other threads reach an I/O thread.
public final class IOThreadHandle: Sendable {
  let mailbox: Mailbox<IOCommand>
  let counters: ThreadCounters
  private let freePorts: Locked<[Int]>

  /// A handle for a thread that serves at most `portCount` controllers.
  ///
  /// - Throws: `EMFILE` at the limit of open files.
  public init(portCount: Int) throws(Errno) {
    mailbox = try Mailbox()
    counters = try ThreadCounters()
    freePorts = Locked((0..<portCount).reversed())
  }

  /// Ends the thread after what it was asked before. Controllers are detached by then.
  public func stop() { mailbox.post(.stop) }

  /// What the thread has done. Any thread.
  public var statistics: IOThreadStatistics { counters.statistics }

  /// Has the thread call `answer`, when it next looks at its messages: it is alive then.
  public func ping(_ answer: @escaping @Sendable () -> Void) { mailbox.post(.ping(answer)) }

  /// A free place in the thread's table, or nil.
  func takePort() -> Int? { freePorts.withLock { $0.popLast() } }

  /// Gives a place back, after the thread acknowledged the detachment.
  func givePort(_ port: Int) { freePorts.withLock { $0.append(port) } }
}
