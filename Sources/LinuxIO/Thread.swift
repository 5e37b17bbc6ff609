import CLinux
import Glibc

/// A POSIX thread with a name. Signals are blocked in it, so that the process's signalfd gets them.
public final class Thread: Sendable {
  private let handle: pthread_t
  /// Whether somebody waits for its end, after which its handle means nothing.
  private let isJoined = Locked(false)

  private final class Start: Sendable {
    let name: String
    let cpus: [Int32]
    let body: @Sendable () -> Void
    init(name: String, cpus: [Int32], body: @escaping @Sendable () -> Void) {
      self.name = name
      self.cpus = cpus
      self.body = body
    }
  }

  /// Starts a thread.
  ///
  /// - Parameters:
  ///   - name: at most 15 bytes are kept by the kernel.
  ///   - cpus: the CPUs it may run on; empty: those of the process.
  ///   - body: what it runs; the thread ends when it returns.
  /// - Throws: the error of `pthread_create(3)`.
  public init(name: String, cpus: [Int32] = [], _ body: @escaping @Sendable () -> Void) throws(Errno) {
    let start = unsafe Unmanaged.passRetained(Start(name: name, cpus: cpus, body: body))
    var created = pthread_t()
    let result = unsafe pthread_create(
      &created, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        clinux_block_signals()
        unsafe clinux_set_thread_name(start.name)
        if !start.cpus.isEmpty { _ = unsafe clinux_set_affinity(start.cpus, Int32(start.cpus.count)) }
        start.body()
        return nil
      }, unsafe start.toOpaque())
    guard result == 0 else {
      unsafe start.release()
      throw Errno(rawValue: result)
    }
    handle = created
  }

  /// ns of CPU time that it has used so far (`pthread_getcpuclockid(3)`); 0 where the kernel does not say,
  /// and once somebody has begun to `join` it.
  public var cpuTime: UInt64 {
    isJoined.withLock { isJoined in
      var clock = clockid_t()
      var time = timespec()
      guard !isJoined, unsafe pthread_getcpuclockid(handle, &clock) == 0, unsafe clock_gettime(clock, &time) == 0 else {
        return 0
      }
      return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
  }

  /// Waits until the thread has ended. Once, from another thread.
  public func join() {
    isJoined.withLock { $0 = true }
    _ = pthread_join(handle, nil)
  }
}
