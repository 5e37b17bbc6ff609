import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing
import VFIOUser

/// A block is written whole or not at all (AWUPF), also where the daemon is killed in the middle of a write.
@Suite(.enabled(if: FUSEFile.isPossible && LoopFileSystem.isPossible, "loop devices need root"))
struct TornBlockTests {
  /// A block whose bytes lie in two pages, the second of which is not there: guest memory in a file of a disk whose read
  /// does not end. The kernel has half of the data when the daemon is killed.
  @Test(arguments: [
    (block: 4096, offset: 512, options: [String]()), (block: 4096, offset: 512, options: ["--buffered"]),
    (block: 512, offset: 3840, options: ["--buffered"]),
  ])
  func isNotTornWhenKilled(_ block: Int, _ offset: Int, _ options: [String]) throws {
    let served = try ServedController(megabytes: [1], blockByteCount: block, options: options)
    let host = try served.host()
    var queue = try host.createQueue(1, depth: 8)
    let data = try host.memory.allocate(4096)
    // In the page cache too, where a page may be changed in part.
    try queue.writePattern(data, slba: 0, version: 1, blockByteCount: block)
    data.fill(0xEE)
    let status = try queue.read(slba: 0, blocks: 4096 / block, into: data).status
    #expect(status == .success)

    let slow = try FaultDisk(byteCount: 16 << 20)
    let disk = try slow.open()
    let device = try LoopDevice(disk.rawValue, bypassesCache: true)
    try LoopFileSystem.succeed(LoopFileSystem.mkfs, ["-q", "-F", device.path])
    let system = try LoopFileSystem(device)
    let memory = try FileDescriptor(path: system.path("memory"), flags: O_RDWR | O_CREAT)
    let number = memory.rawValue
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    #expect(pwrite(number, zeros, zeros.count, 0) == zeros.count && fsync(number) == 0)
    #expect(posix_fadvise(number, 0, 0, POSIX_FADV_DONTNEED) == 0)
    slow.inject(Fault(.read, count: .max, .hold))
    let slowAddress: UInt64 = 1 << 40
    try host.connection.withClient { (client) throws(Errno) in
      let map = DMAMap(flags: [.read, .write], fileOffset: 0, address: slowAddress, length: 1 << 20)
      try client.dmaMap(map, descriptor: number)
    }
    _ = consume memory
    data.fill(0x55)
    var entry = SubmissionQueueEntry.io(.write, nsid: 1, slba: 0, blocks: 1)
    entry.prp1 = data.iova(at: offset)
    entry.prp2 = slowAddress
    _ = queue.submit(entry)
    #expect(slow.heldCount == 0, "nobody but the command reads")
    queue.ring()
    try slow.awaitHeld(1)
    try served.daemon.kill()
    let bytes = try served.images[0].read(at: 0, count: block)
    let old = BlockPattern.bytes(slba: 0, blocks: 1, version: 1, blockByteCount: block)
    let isOld = bytes == old
    slow.repair()
    slow.release()
    try system.unmount()
    _ = consume disk
    #expect(isOld, "\(bytes.count { $0 == 0x55 }) of \(block) bytes are of the new version")
  }
}
