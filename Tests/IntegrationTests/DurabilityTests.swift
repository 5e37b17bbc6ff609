import Glibc
import NVMeHost
import NVMeSpec
import Testing

/// What was acknowledged is there, however the daemon ends.
@Suite struct DurabilityTests {
  enum Promise: CaseIterable, Sendable {
    case forceUnitAccess
    case flush
    case flushOfAllNamespaces
  }

  @Test(arguments: Promise.allCases, [[], ["--buffered"]])
  func keepsWhatItPromisedWhenKilled(_ promise: Promise, _ options: [String]) throws {
    let served = try ServedController(options: options)
    let host = try served.host(HostOptions(doorbells: .slots, vectors: 2))
    var queue = try host.createQueue(1, depth: 64, vector: 1)
    let data = try host.memory.allocate(128 << 10)
    for number in 0..<16 as Range<UInt64> {
      try queue.writePattern(
        data, slba: number * 256, version: number + 1, blockByteCount: 512, forceUnitAccess: promise == .forceUnitAccess
      )
    }
    switch promise {
    case .forceUnitAccess: break
    case .flush:
      let status = try queue.flush().status
      #expect(status == .success)
    case .flushOfAllNamespaces:
      let status = try queue.flush(nsid: NamespaceIdentifier.all).status
      #expect(status == .success)
    }
    // The page cache outlives the daemon, so the bytes alone would not show that they are on the disk.
    let unwritten = try delayedByteCount(served.images[0])
    #expect(unwritten == 0, "\(unwritten) bytes of the image wait in the page cache for their place on the disk")
    try served.daemon.kill()
    try expectVersions(served.images[0])
    // The lock went with the process, and the socket that it left behind is replaced.
    let next = try ServedController(served.folder, images: served.images)
    try next.daemon.terminate()
  }

  /// SIGTERM while commands are in flight: the acknowledged ones are there, and all is written back.
  @Test(arguments: [[], ["--buffered"]])
  func keepsWhatItAcknowledgedWhenTerminated(_ options: [String]) throws {
    let served = try ServedController(options: options)
    let host = try served.host(HostOptions(doorbells: .slots, vectors: 2))
    var queue = try host.createQueue(1, depth: 64, vector: 1)
    let data = try host.memory.allocate(128 << 10)
    for number in 0..<16 as Range<UInt64> {
      try queue.writePattern(data, slba: number * 256, version: number + 1, blockByteCount: 512)
    }
    var entry = SubmissionQueueEntry.io(.write, nsid: 1, slba: 16_000, blocks: 8)
    entry.prp1 = data.iova
    while queue.submit(entry) != nil {}
    queue.ring()
    try served.daemon.terminate()
    let unwritten = try delayedByteCount(served.images[0])
    #expect(unwritten == 0, "\(unwritten) bytes of the image wait in the page cache for their place on the disk")
    try expectVersions(served.images[0])
    // The guest sees that the device is gone, and does not hang.
    #expect(throws: HostError.self) { try host.status() }
    #expect(access(served.socketPath, F_OK) == -1, "the socket file stays behind")
  }

  private func expectVersions(_ image: ImageFile) throws {
    for number in 0..<16 {
      let bytes = try image.read(at: number * 128 << 10, count: 128 << 10)
      let expected = BlockPattern.bytes(
        slba: UInt64(number * 256), blocks: 256, version: UInt64(number + 1), blockByteCount: 512)
      #expect(bytes == expected, "write \(number) is not in the image")
    }
  }

  /// Bytes of an image that its file system has no place for yet (FIEMAP with delayed allocation): only in memory.
  private func delayedByteCount(_ image: ImageFile) throws -> Int {
    let header = 32
    let extent = 56
    let limit = 256
    let delayed: UInt32 = 4
    let size = header + limit * extent
    let request = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
    defer { request.deallocate() }
    memset(request, 0, size)
    request.storeBytes(of: UInt64.max, toByteOffset: 8, as: UInt64.self)
    request.storeBytes(of: UInt32(limit), toByteOffset: 24, as: UInt32.self)
    // A file system that cannot tell has nothing to say.
    guard ioctl(image.number, 0xC020_660B, request) == 0 else { return 0 }
    var sum = 0
    for index in 0..<Int(request.load(fromByteOffset: 20, as: UInt32.self)) {
      let start = header + index * extent
      if request.load(fromByteOffset: start + 40, as: UInt32.self) & delayed != 0 {
        sum += Int(request.load(fromByteOffset: start + 16, as: UInt64.self))
      }
    }
    return sum
  }
}
