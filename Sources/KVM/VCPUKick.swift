import CLinux
import Glibc
import LinuxIO

/// Ends a vCPU's `KVM_RUN` from another thread, whatever the guest does: also where it spins or sleeps in HLT.
///
/// A signal alone could come just before `KVM_RUN` and be lost; so the flag `immediate_exit` is set first, which
/// `KVM_RUN` looks at when it begins. `kick()` may come before the vCPU is there; then it does not begin to run.
public final class VCPUKick: Sendable {
  @safe private struct State: @unchecked Sendable {
    var isRequested = false
    var target: (thread: pthread_t, immediateExit: UnsafeMutablePointer<UInt8>)?
  }

  private let state = Locked(State())

  /// A kick for one vCPU.
  public init() {}

  /// Whether `kick()` was called.
  public var isRequested: Bool { state.withLock { $0.isRequested } }

  /// Makes the calling thread the one that is kicked; on the thread that runs the vCPU.
  ///
  /// `detach()` must follow before the vCPU is gone.
  ///
  /// - Throws: the `errno` of `sigaction(2)`.
  public func attach(_ vcpu: borrowing VirtualCPU) throws(Errno) {
    try kvmCall { clinux_kvm_accept_kicks() }
    let immediateExit = unsafe vcpu.immediateExit
    state.withLock {
      unsafe $0.target = (pthread_self(), immediateExit)
      if $0.isRequested { unsafe immediateExit.pointee = 1 }
    }
  }

  /// The vCPU is not run any more.
  public func detach() { state.withLock { unsafe $0.target = nil } }

  /// Ends the run. Any thread.
  public func kick() {
    state.withLock {
      $0.isRequested = true
      guard let target = unsafe $0.target else { return }
      unsafe target.immediateExit.pointee = 1
      _ = unsafe pthread_kill(target.thread, clinux_kvm_kick_signal())
    }
  }
}
