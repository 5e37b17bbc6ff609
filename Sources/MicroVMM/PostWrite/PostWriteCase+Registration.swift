import KVM
import LinuxIO

extension PostWriteCase {
  /// What a registration must refuse, and what a refused registration leaves behind: nothing.
  static let registrationCases: [PostWriteCase] =
    misuses.map { misuse in
      PostWriteCase("POST_WRITE: refused with \(misuse.fault)", .postWrite) { kick throws(PostWriteFailure) in
        try refuses(kick) { rig in
          var ioeventfd = rig.plain(4)
          ioeventfd.postAddress = rig.address()
          misuse.apply(&ioeventfd)
          return ioeventfd
        }
      }
    } + [
      PostWriteCase("a kernel without POST_WRITE refuses the flag", .noPostWrite) { kick throws(PostWriteFailure) in
        try refuses(kick) { rig in
          var ioeventfd = rig.plain(4)
          ioeventfd.postAddress = rig.address()
          return ioeventfd
        }
      },
      PostWriteCase("the probe says of the kernel what the kernel does", .anyKernel, probeAgrees),
      PostWriteCase("POST_WRITE: one more at the address is refused, wherever it stores", .postWrite, collides),
      PostWriteCase("POST_WRITE: 1 byte may be stored at any address", .postWrite, storesAByteAnywhere),
    ]

  /// A fault of a registration.
  private struct Misuse: Sendable {
    let fault: String
    let apply: @Sendable (inout IOEventFD) -> Void
  }

  private static let misuses: [Misuse] =
    [
      Misuse(fault: "length 0") { $0.length = 0 },
      Misuse(fault: "length 3") { $0.length = 3 },
      Misuse(fault: "post_addr 0") { $0.postAddress = 0 },
      Misuse(fault: "post_addr 0xdeaddeaddeaddead") { $0.postAddress = 0xDEAD_DEAD_DEAD_DEAD },
      // Aligned, so that it is refused for being the kernel's.
      Misuse(fault: "post_addr 0xffff800000000000") { $0.postAddress = 0xFFFF_8000_0000_0000 },
    ]
    + [(2, 1), (4, 2), (8, 4)].map { (length: UInt32, offset: UInt64) in
      Misuse(fault: "a post_addr that is \(offset) off a multiple of \(length), length \(length)") {
        $0.length = length
        $0.postAddress = ($0.postAddress ?? 0) + offset
      }
    }

  /// The registration fails, and the guest's write comes to the VMM as if it had not been tried.
  private static func refuses(
    _ kick: VCPUKick, _ ioeventfd: (borrowing PostWriteRig) -> IOEventFD
  ) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      $0.mov(.fs(0), UInt32(truncatingIfNeeded: PostWriteRig.value))
      $0.hlt()
    }
    let refused = ioeventfd(rig)
    try rig.expectRefusal(refused, .invalidArgument)
    var plain = refused
    plain.postAddress = nil
    try rig.expectNone(plain)
    try rig.expectWrite(PostWriteRig.value & 0xFFFF_FFFF, count: 4)
    try rig.expectExit(.halt)
    try rig.expectSignals(0)
    try rig.expectNothingStored()
  }

  /// No capability is asked: the probe's answer must be that of a registration and a write.
  private static func probeAgrees(_ kick: VCPUKick) throws(PostWriteFailure) {
    let claimed = PostWriteSupport.probe()
    var found = false
    do throws(PostWriteFailure) {
      try posts(kick)
      found = true
    } catch {
      if claimed == .supported { throw PostWriteFailure("the probe says that it works: \(error)") }
    }
    if found, claimed != .supported { throw PostWriteFailure("it works, and the probe says: \(claimed)") }
  }

  private static func posts(_ kick: VCPUKick) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      $0.mov(.fs(0), UInt32(truncatingIfNeeded: PostWriteRig.value))
      $0.hlt()
    }
    try rig.assign(Posting.posted.applied(to: rig.plain(4), rig))
    try rig.expectExit(.halt)
    try rig.expectSignals(1)
    try rig.expectStored(PostWriteRig.value, count: 4)
  }

  private static func collides(_ kick: VCPUKick) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      $0.mov(.fs(0), UInt32(truncatingIfNeeded: PostWriteRig.value))
      $0.hlt()
    }
    var ioeventfd = Posting.posted.applied(to: rig.plain(4), rig)
    try rig.assign(ioeventfd)
    ioeventfd.postAddress = rig.address(64)
    try rig.expectRefusal(ioeventfd, .fileExists)
    ioeventfd.postAddress = nil
    try rig.expectRefusal(ioeventfd, .fileExists)
    try rig.expectExit(.halt)
    try rig.expectSignals(1)
    try rig.expectStored(PostWriteRig.value, count: 4)
  }

  private static func storesAByteAnywhere(_ kick: VCPUKick) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      $0.mov(.eax, UInt32(truncatingIfNeeded: PostWriteRig.value))
      $0.movAL(.fs(0))
      $0.hlt()
    }
    var ioeventfd = rig.plain(1)
    ioeventfd.postAddress = rig.address(4095)
    try rig.assign(ioeventfd)
    try rig.expectExit(.halt)
    try rig.expectSignals(1)
    try rig.expectStored(PostWriteRig.value, count: 1, at: 4095)
  }
}
