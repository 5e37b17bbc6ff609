import LinuxIO

/// Runs a guest on a thread of its own and ends it when it takes too long, so that a guest that hangs is an error of its
/// VMM and no hang.
public enum GuestThread {
  private final class Outcome<Result: Sendable>: Sendable {
    let result = Locked<Result?>(nil)
    let ended: EventFD
    init() throws(Errno) { ended = try EventFD() }
  }

  /// Runs `body` and waits for it.
  ///
  /// - Parameters:
  ///   - deadline: ms until the kick; more than 0.
  ///   - cpus: the CPUs it may run on; empty: those of the process.
  ///   - body: runs the vCPU; it must end when its vCPU is kicked.
  /// - Throws: the error of `pthread_create(3)`; `EMFILE` at the limit of open files.
  public static func run<Result: Sendable>(
    deadline: Int32, cpus: [Int32] = [], _ body: @escaping @Sendable (VCPUKick) -> Result
  ) throws(Errno) -> Result {
    let kick = VCPUKick()
    let outcome = try Outcome<Result>()
    let thread = try Thread(name: "vcpu0", cpus: cpus) {
      let result = body(kick)
      outcome.result.withLock { $0 = result }
      outcome.ended.signal()
    }
    if !outcome.ended.wait(timeout: deadline) { kick.kick() }
    thread.join()
    guard let result = outcome.result.withLock({ $0.take() }) else { throw .inputOutput }
    return result
  }
}
