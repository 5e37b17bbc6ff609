import Glibc
import NVMeHost
import NVMeSpec
import Testing

/// Transfers that end before their time, and images that do.
@Suite(.enabled(if: FUSEFile.isPossible, "mounting FUSE needs root")) struct ShortTransferTests {
  /// Where the guest's memory is not aligned the rest goes by way of a bounce buffer.
  enum Path: CaseIterable {
    case direct
    case list
    case bounced
  }

  /// A short transfer is continued where it ended, as often as need be.
  @Test(arguments: Path.allCases, [1, 511, 512, 4096, 12_000]) func continuesShortTransfers(
    _ path: Path, _ limit: Int
  ) throws {
    // (Requests that do not hold up their thread are never written short by the kernel's FUSE.)
    let faulty = try FaultyController(FaultDisk.Options(isAsynchronous: false))
    var queue = try faulty.queue()
    let all = faulty.data
    let data: HostBuffer
    switch path {
    case .direct: data = all[0..<(32 << 10)]
    case .list: data = all[512..<512 + (32 << 10)]
    case .bounced: data = all[4..<4 + (32 << 10)]
    }
    faulty.disk.inject(Fault(.write, count: 3, .short(limit)))
    try queue.writePattern(data, slba: 8, version: 1, blockByteCount: 512)
    #expect(
      Array(faulty.disk.bytes[4096..<4096 + data.count])
        == BlockPattern.bytes(slba: 8, blocks: data.count / 512, version: 1, blockByteCount: 512))
    faulty.disk.inject(Fault(.read, count: 3, .short(limit)))
    try queue.readPattern(data, slba: 8, version: 1, blockByteCount: 512)
    faulty.disk.inject(Fault(.read, count: 2, .short(limit)))
    let compared = try queue.compare(slba: 8, blocks: data.count / 512, with: data).status
    #expect(compared == .success)
    #expect(try Errors(faulty.host).entries.isEmpty)
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }

  /// A transfer of which nothing comes any more ends, and is an error.
  @Test func endsTransfersWithoutProgress() throws {
    let faulty = try FaultyController(FaultDisk.Options(isAsynchronous: false))
    var queue = try faulty.queue()
    faulty.disk.inject(Fault(.read, .write, skipped: 1, .short(0)))
    faulty.disk.inject(Fault(.read, .write, count: 1, .short(4096)))
    let read = try queue.read(slba: 0, blocks: 16, into: faulty.data).status
    #expect(read == .unrecoveredReadError)
    faulty.disk.repair()
    faulty.disk.inject(Fault(.write, skipped: 1, .error(EIO)))
    faulty.disk.inject(Fault(.write, count: 1, .short(4096)))
    let written = try queue.write(slba: 0, blocks: 16, from: faulty.data).status
    #expect(written == .writeFault)
    #expect(try Errors(faulty.host).smart.mediaAndDataIntegrityErrors == 2)
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }

  /// The image becomes shorter than the namespace: what is gone cannot be read, what is left can.
  @Test func answersReadsBeyondTheEndOfAShrunkImage() throws {
    let faulty = try FaultyController()
    var queue = try faulty.queue()
    try queue.writePattern(faulty.data, slba: 0, version: 1, blockByteCount: 512)
    faulty.disk.resize(to: 32 << 10)
    let across = try queue.read(slba: 60, blocks: 8, into: faulty.data[0..<4096]).status
    #expect(across == .unrecoveredReadError)
    let beyond = try queue.read(slba: 1000, blocks: 8, into: faulty.data[0..<4096]).status
    #expect(beyond == .unrecoveredReadError)
    try queue.readPattern(faulty.data[0..<(32 << 10)], slba: 0, version: 1, blockByteCount: 512)
    #expect(try Errors(faulty.host).smart.mediaAndDataIntegrityErrors == 2)
    faulty.disk.resize(to: 4 << 20)
    let again = try queue.read(slba: 1000, blocks: 8, into: faulty.data[0..<4096]).status
    #expect(again == .success)
    faulty.host.disconnect()
    try faulty.daemon.terminate()
  }
}
