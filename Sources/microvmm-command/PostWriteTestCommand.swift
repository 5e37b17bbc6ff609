import ArgumentParser
import KVM
import MicroVMM

/// `microvmm post-write-test`: the ioctl that doorbells without the VMM need, case by case.
struct PostWriteTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "post-write-test",
    abstract: "Tests KVM_IOEVENTFD with and without POST_WRITE, case by case.",
    discussion: """
      Each case is a VM of its own with a guest of a few instructions. Cases that need POST_WRITE are skipped where the \
      kernel does not have it. The status is 0 where no case failed.
      """)

  func run() throws {
    let kvm = KVMAvailability.check()
    guard kvm == .available else { throw ValidationError("\(kvm)") }
    let support = PostWriteSupport.probe()
    print("# \(support)")
    print(PostWriteReport.plan(PostWriteCase.all.count))
    var report = PostWriteReport()
    for test in PostWriteCase.all { print(report.add(test.description, test.run(support))) }
    print("# \(report.sums)")
    if report.failed > 0 { throw ExitCode.failure }
  }
}
