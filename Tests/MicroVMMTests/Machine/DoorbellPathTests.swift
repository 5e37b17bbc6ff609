import KVM
import Testing

@testable import MicroVMM

@Suite struct DoorbellPathTests {
  @Test func doorbellsFallBackWhereTheKernelDoesNotHaveIt() {
    #expect(DoorbellPath.automatic(.supported, fallback: .softwarePost) == .postWrite)
    #expect(DoorbellPath.automatic(.refused(.invalidArgument)) == .ioeventfd)
    #expect(DoorbellPath.automatic(.acceptsMisuse(.nullAddress), fallback: .postedMessage) == .postedMessage)
  }
}
