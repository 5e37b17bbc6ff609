import KVM
import LinuxIO

extension PostWriteCase {
  /// What becomes of a value that cannot be stored: an exit with it, as if there were no ioeventfd, so that no doorbell
  /// is lost. And that memory which only has to be brought in is brought in.
  static let faultCases: [PostWriteCase] = [
    PostWriteCase("POST_WRITE: an address that is not mapped: the write exits", .postWrite, notMapped),
    PostWriteCase("POST_WRITE: beyond the end of a file: the write exits", .postWrite, beyondTheFile),
    PostWriteCase("POST_WRITE: read-only memory: the write exits until it is writable", .postWrite, readOnly),
    PostWriteCase("POST_WRITE: an I/O port, and read-only memory: the write exits", .postWrite, readOnlyByPort),
    PostWriteCase("POST_WRITE: memory that was never touched is stored to", .postWrite, untouched),
  ]

  private static let low = PostWriteRig.value & 0xFFFF_FFFF

  /// A rig whose guest writes the value so many times.
  private static func rig(_ kick: VCPUKick, writes: Int) throws(PostWriteFailure) -> PostWriteRig {
    try PostWriteRig(kick) {
      for _ in 0..<writes { $0.mov(.fs(0), UInt32(truncatingIfNeeded: PostWriteRig.value)) }
      $0.hlt()
    }
  }

  private static func exits(
    _ rig: inout PostWriteRig, postAddress: UInt64, writes: Int
  ) throws(PostWriteFailure) {
    var ioeventfd = rig.plain(4)
    ioeventfd.postAddress = postAddress
    try rig.assign(ioeventfd)
    for _ in 0..<writes { try rig.expectWrite(low, count: 4) }
    try rig.expectExit(.halt)
    try rig.expectSignals(0)
    try rig.expectNothingStored()
  }

  /// Below `vm.mmap_min_addr`, so that nothing of this process can come to be there.
  private static func notMapped(_ kick: VCPUKick) throws(PostWriteFailure) {
    var rig = try rig(kick, writes: 5)
    try exits(&rig, postAddress: 0x1000, writes: 5)
  }

  private static func beyondTheFile(_ kick: VCPUKick) throws(PostWriteFailure) {
    let mapping: MemoryMapping
    do throws(Errno) {
      let file = try SharedMemory(name: "post-write", count: 4096)
      mapping = try MemoryMapping(fd: file.descriptor.rawValue, offset: 0, count: 8192, [.read, .write])
    } catch { throw PostWriteFailure("no memory: \(error)") }
    var rig = try rig(kick, writes: 2)
    try exits(&rig, postAddress: UInt64(UInt(bitPattern: unsafe mapping.base)) + 4096, writes: 2)
  }

  private static func readOnly(_ kick: VCPUKick) throws(PostWriteFailure) {
    var rig = try rig(kick, writes: 2)
    try rig.assign(Posting.posted.applied(to: rig.plain(4), rig))
    try rig.protect(.read)
    try rig.expectWrite(low, count: 4)
    try rig.expectSignals(0)
    try rig.protect([.read, .write])
    try rig.expectNothingStored()
    try rig.expectExit(.halt)
    try rig.expectSignals(1)
    try rig.expectStored(low, count: 4)
  }

  private static func readOnlyByPort(_ kick: VCPUKick) throws(PostWriteFailure) {
    let value = UInt32(truncatingIfNeeded: PostWriteRig.value)
    var rig = try PostWriteRig(kick) {
      out(&$0, value)
      $0.hlt()
    }
    try rig.assign(Posting.posted.applied(to: rig.plainPort(), rig))
    try rig.protect(.read)
    try rig.expectExit(.portWrite(port: PostWriteRig.port, count: 4, value: value))
    try rig.expectExit(.halt)
    try rig.expectSignals(0)
    try rig.protect([.read, .write])
    try rig.expectNothingStored()
  }

  private static func untouched(_ kick: VCPUKick) throws(PostWriteFailure) {
    let mapping: MemoryMapping
    do throws(Errno) {
      let file = try SharedMemory(name: "post-write", count: 4096)
      mapping = try MemoryMapping(fd: file.descriptor.rawValue, offset: 0, count: 4096, [.read, .write])
    } catch { throw PostWriteFailure("no memory: \(error)") }
    var rig = try rig(kick, writes: 1)
    var ioeventfd = rig.plain(4)
    ioeventfd.postAddress = UInt64(UInt(bitPattern: unsafe mapping.base)) + 8
    try rig.assign(ioeventfd)
    try rig.expectExit(.halt)
    try rig.expectSignals(1)
    let stored = unsafe mapping.base.load(fromByteOffset: 8, as: UInt32.self)
    guard UInt64(stored) == low else { throw PostWriteFailure("the value is \(stored), not \(low)") }
  }
}
