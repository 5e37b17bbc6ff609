import LinuxIO
import Testing

@testable import KVM

@Suite(.enabled(if: kvm == .available, "\(kvm)")) struct PostWriteSupportTests {
  @Test func theProbeComesToAResult() {
    let support = PostWriteSupport.probe()
    print("KVM: \(support)")
    // Either the kernel has it, or it says that it does not know the flag; all else is a bug here or there.
    #expect(support == .supported || support == .refused(.invalidArgument))
    #expect(PostWriteSupport.probe() == support)
  }
}
