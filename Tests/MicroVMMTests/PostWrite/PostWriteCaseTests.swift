import KVM
import LinuxIO
import Testing

@testable import MicroVMM

extension PostWriteCase: CustomTestStringConvertible {
  /// What must be true.
  public var testDescription: String { description }
}

@Suite(.enabled(if: kvm == .available, "\(kvm)")) struct PostWriteCaseTests {
  private static let support = PostWriteSupport.probe()

  /// Every case that this kernel allows is true of it; and no other is run.
  @Test(arguments: PostWriteCase.all) func isTrueOfThisKernel(_ test: PostWriteCase) {
    let outcome = test.run(Self.support)
    let canRun =
      switch test.requirement {
      case .anyKernel: true
      case .postWrite: Self.support == .supported
      case .noPostWrite: Self.support != .supported
      }
    if canRun {
      #expect(outcome == .passed)
    } else {
      guard case .skipped = outcome else {
        Issue.record("\(outcome)")
        return
      }
    }
  }

  /// A kernel without POST_WRITE fails the cases that are about what it does, when it is said to have it.
  @Test(
    .enabled(if: PostWriteSupport.probe() != .supported, "the kernel has POST_WRITE"),
    arguments: PostWriteCase.all.filter { $0.requirement == .postWrite && !$0.description.contains("refused with") })
  func isNotTrueOfAKernelWithoutIt(_ test: PostWriteCase) {
    #expect(test.run(.supported) == .failed("the registration is refused: \(Errno.invalidArgument)"))
  }

  @Test func everyCaseHasAnotherDescription() {
    #expect(Set(PostWriteCase.all.map(\.description)).count == PostWriteCase.all.count)
    #expect(PostWriteCase.all.count >= 40)
  }

  @Test func aWrongExpectationFails() {
    let wrong = PostWriteCase("a signal without a write", .anyKernel) { kick throws(PostWriteFailure) in
      var rig = try PostWriteRig(kick) { $0.hlt() }
      try rig.assign(rig.plain(4))
      try rig.expectExit(.halt)
      try rig.expectSignals(1)
    }
    #expect(wrong.run(.refused(.invalidArgument)) == .failed("0 signals, not 1"))
    let exits = PostWriteCase("an exit that does not come", .anyKernel) { kick throws(PostWriteFailure) in
      var rig = try PostWriteRig(kick) { $0.hlt() }
      try rig.expectWrite(1, count: 4)
    }
    #expect(
      exits.run(.supported)
        == .failed("the exit is halt, not \(VCPUExit.mmioWrite(address: PostWriteRig.address, count: 4, value: 1))"))
  }

  @Test func aStoredByteIsFoundWhereverItIs() throws {
    let rig = try PostWriteRig(VCPUKick()) { $0.hlt() }
    try rig.expectNothingStored()
    rig.page.base.storeBytes(of: 0x3412, toByteOffset: 6, as: UInt16.self)
    try rig.expectStored(0x3412, count: 2, at: 6)
    // Poisoned again.
    try rig.expectNothingStored()
    rig.page.base.storeBytes(of: 1, toByteOffset: 4095, as: UInt8.self)
    do throws(PostWriteFailure) {
      try rig.expectNothingStored()
      Issue.record("not found")
    } catch { #expect(error == PostWriteFailure("byte 4095 of the page is 0x1, not 0x55")) }
  }

  @Test func aGuestThatHangsHasFailed() {
    let hangs = PostWriteCase("hangs", .anyKernel, deadline: 100) { kick throws(PostWriteFailure) in
      var rig = try PostWriteRig(kick) {
        let here = $0.here()
        $0.jmp(here)
      }
      try rig.expectExit(.halt)
    }
    #expect(hangs.run(.supported) == .failed("not done after 100 ms: the exit is interrupted, not halt"))
  }
}
