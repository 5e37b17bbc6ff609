import ArgumentParser
import KVM

/// `microvmm probe`: what this kernel's KVM can do for doorbells.
struct ProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probe", abstract: "Says whether guests run here, and whether KVM has POST_WRITE ioeventfds.",
    discussion: "The status is 0 where guests run, whatever KVM has.")

  func run() throws {
    let kvm = KVMAvailability.check()
    print(kvm)
    guard kvm == .available else { throw ExitCode.failure }
    print(PostWriteSupport.probe())
  }
}
