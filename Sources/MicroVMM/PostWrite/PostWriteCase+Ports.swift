import KVM
import LinuxIO

extension PostWriteCase {
  /// The same of I/O ports.
  static let portCases: [PostWriteCase] = Posting.allCases.flatMap { posting in
    [
      PostWriteCase(posting.title("a write to an I/O port"), posting.requirement) { kick throws(PostWriteFailure) in
        try writes(kick, posting)
      },
      PostWriteCase(posting.title("datamatch of an I/O port: another value exits"), posting.requirement) {
        kick throws(PostWriteFailure) in try matches(kick, posting)
      },
    ]
  }

  /// Code that writes to the port.
  static func out(_ code: inout Assembler, _ value: UInt32) {
    code.mov(.edx, UInt32(PostWriteRig.port))
    code.mov(.eax, value)
    code.outDX()
  }

  private static func writes(_ kick: VCPUKick, _ posting: Posting) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      out(&$0, UInt32(truncatingIfNeeded: PostWriteRig.value))
      $0.hlt()
    }
    try rig.assign(posting.applied(to: rig.plainPort(), rig))
    try rig.expectExit(.halt)
    try posting.expect(signals: 1, PostWriteRig.value, count: 4, rig)
  }

  private static func matches(_ kick: VCPUKick, _ posting: Posting) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      out(&$0, 0x42)
      $0.out(PostWriteRig.stagePort)
      out(&$0, 0x43)
      $0.hlt()
    }
    try rig.assign(posting.applied(to: rig.plainPort(datamatch: 0x42), rig))
    try rig.expectStage(0x42)
    try posting.expect(signals: 1, 0x42, count: 4, rig)
    try rig.expectExit(.portWrite(port: PostWriteRig.port, count: 4, value: 0x43))
    try rig.expectExit(.halt)
    try rig.expectSignals(0)
    try rig.expectNothingStored()
  }
}
