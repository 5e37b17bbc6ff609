import KVM
import LinuxIO

extension PostWriteCase {
  /// What the guest's writes to memory addresses do, each with POST_WRITE and without.
  static let writeCases: [PostWriteCase] = Posting.allCases.flatMap { posting in
    ([1, 2, 4, 8] as [Int]).map { width in
      PostWriteCase(posting.title("a write of \(width)"), posting.requirement) { kick throws(PostWriteFailure) in
        try writes(kick, posting, width: width)
      }
    } + [
      PostWriteCase(posting.title("writes of other lengths exit"), posting.requirement) {
        kick throws(PostWriteFailure) in try writesOtherLengths(kick, posting)
      },
      PostWriteCase(posting.title("datamatch: another value exits"), posting.requirement) {
        kick throws(PostWriteFailure) in try matches(kick, posting)
      },
      PostWriteCase(posting.title("several writes, each looked at"), posting.requirement) {
        kick throws(PostWriteFailure) in try writesSeveral(kick, posting)
      },
      PostWriteCase(posting.title("several writes, looked at once: 3 signals, the last value"), posting.requirement) {
        kick throws(PostWriteFailure) in try writesSeveralAtOnce(kick, posting)
      },
      PostWriteCase(posting.title("taken back: the write exits"), posting.requirement) {
        kick throws(PostWriteFailure) in try deassigns(kick, posting)
      },
    ]
  }

  /// Code that writes the low bytes of `PostWriteRig.value` to the address.
  private static func write(_ code: inout Assembler, width: Int) {
    code.mov(.eax, UInt32(truncatingIfNeeded: PostWriteRig.value))
    switch width {
    case 1: code.movAL(.fs(0))
    case 2: code.movAX(.fs(0))
    case 4: code.mov(.fs(0), .eax)
    default:
      code.mov(.at(0x800), .eax)
      code.mov(.at(0x804), UInt32(truncatingIfNeeded: PostWriteRig.value >> 32))
      code.movq(.mm0, .at(0x800))
      code.movq(.fs(0), .mm0)
    }
  }

  /// Code that tells how far the guest is.
  private static func stage(_ code: inout Assembler, _ number: UInt32) {
    code.mov(.eax, number)
    code.out(PostWriteRig.stagePort)
  }

  private static func writes(_ kick: VCPUKick, _ posting: Posting, width: Int) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      write(&$0, width: width)
      $0.hlt()
    }
    try rig.assign(posting.applied(to: rig.plain(UInt32(width)), rig))
    try rig.expectExit(.halt)
    try posting.expect(signals: 1, PostWriteRig.value, count: width, rig)
  }

  private static func writesOtherLengths(_ kick: VCPUKick, _ posting: Posting) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      for width in [1, 2, 8] { write(&$0, width: width) }
      $0.hlt()
    }
    try rig.assign(posting.applied(to: rig.plain(4), rig))
    try rig.expectWrite(PostWriteRig.value & 0xFF, count: 1)
    try rig.expectWrite(PostWriteRig.value & 0xFFFF, count: 2)
    try rig.expectWrite(PostWriteRig.value, count: 8)
    try rig.expectExit(.halt)
    try rig.expectSignals(0)
    try rig.expectNothingStored()
  }

  private static func matches(_ kick: VCPUKick, _ posting: Posting) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      $0.mov(.fs(0), 0x42)
      stage(&$0, 1)
      $0.mov(.fs(0), 0x43)
      stage(&$0, 2)
      $0.hlt()
    }
    try rig.assign(posting.applied(to: rig.plain(4, datamatch: 0x42), rig))
    try rig.expectStage(1)
    try posting.expect(signals: 1, 0x42, count: 4, rig)
    try rig.expectWrite(0x43, count: 4)
    try rig.expectStage(2)
    try rig.expectSignals(0)
    try rig.expectNothingStored()
    try rig.expectExit(.halt)
  }

  private static let values: [UInt32] = [0x1111_1111, 0x2222_2222, 0x3333_3333]

  private static func writesSeveral(_ kick: VCPUKick, _ posting: Posting) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      for (index, value) in values.enumerated() {
        $0.mov(.fs(0), value)
        stage(&$0, UInt32(truncatingIfNeeded: index))
      }
      $0.hlt()
    }
    try rig.assign(posting.applied(to: rig.plain(4), rig))
    for (index, value) in values.enumerated() {
      try rig.expectStage(UInt32(truncatingIfNeeded: index))
      try posting.expect(signals: 1, UInt64(value), count: 4, rig)
    }
    try rig.expectExit(.halt)
  }

  private static func writesSeveralAtOnce(_ kick: VCPUKick, _ posting: Posting) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      for value in values { $0.mov(.fs(0), value) }
      $0.hlt()
    }
    try rig.assign(posting.applied(to: rig.plain(4), rig))
    try rig.expectExit(.halt)
    try posting.expect(signals: 3, 0x3333_3333, count: 4, rig)
  }

  private static func deassigns(_ kick: VCPUKick, _ posting: Posting) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      $0.mov(.fs(0), 0x42)
      stage(&$0, 1)
      $0.mov(.fs(0), 0x42)
      $0.hlt()
    }
    let ioeventfd = posting.applied(to: rig.plain(4), rig)
    try rig.assign(ioeventfd)
    try rig.expectStage(1)
    try posting.expect(signals: 1, 0x42, count: 4, rig)
    try rig.deassign(ioeventfd)
    try rig.expectWrite(0x42, count: 4)
    try rig.expectExit(.halt)
    try rig.expectSignals(0)
    try rig.expectNothingStored()
    try rig.expectNone(ioeventfd)
  }
}
