import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer

/// What SPDK's host driver (trtype VFIOUSER) sends, as captured. It maps doorbells or does not attach at all.
@Suite struct SPDKSessionTests {
  private func device() throws -> ServedDevice {
    var options = try testOptions()
    options.controller.doorbells = .poll
    return try ServedDevice(options)
  }

  /// SPDK reads 16 bytes with room for descriptors, and then the rest with one `read`: header and payload must have been
  /// sent together. Every message has the identifier 0.
  private func exchange(
    _ client: Client, _ number: UInt16, _ payload: [UInt8], descriptors: [Int32] = [], received: inout [Int32]
  ) throws -> [UInt8] {
    try client.send(command(number, id: 0, payload), descriptors: descriptors)
    var entry = pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)
    #expect(poll(&entry, 1, patience) == 1)
    var bytes = [UInt8](repeating: 0, count: 16 + 4096)
    var arrived = ReceivedDescriptors(capacity: 8)
    let head = try UnixSocket.receive(client.descriptor, into: &bytes, at: 0..<16, descriptors: &arrived, wait: true)
    #expect(head.count == 16 && !head.descriptorsLost)
    let size = Int(bytes[4]) | Int(bytes[5]) << 8
    #expect(size - 16 <= 4096)
    if size > 16 {
      let rest = try UnixSocket.receive(
        client.descriptor, into: &bytes, at: 16..<size, descriptors: &arrived, wait: false)
      #expect(rest.count == size - 16, "there is no second read")
    }
    for index in 0..<arrived.count {
      if let descriptor = arrived.take(index) { received.append(descriptor.release()) }
    }
    #expect(Array(bytes[0..<4]) == u16(0, number))
    #expect(Array(bytes[8..<16]) == u32(1, 0))
    return Array(bytes[16..<size])
  }

  private func exchange(
    _ client: Client, _ number: UInt16, _ payload: [UInt8], descriptors: [Int32] = []
  ) throws -> [UInt8] {
    var none: [Int32] = []
    let answer = try exchange(client, number, payload, descriptors: descriptors, received: &none)
    #expect(none == [])
    return answer
  }

  private func read(_ client: Client, _ offset: UInt64, _ count: Int) throws -> UInt64 {
    let answer = try exchange(client, Number.regionRead, access(Region.bar0, offset, count))
    #expect(Array(answer.prefix(16)) == access(Region.bar0, offset, count))
    #expect(answer.count == 16 + count)
    return answer.dropFirst(16).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private func write(_ client: Client, _ offset: UInt64, _ value: UInt64, _ count: Int) throws {
    let answer = try exchange(
      client, Number.regionWrite, access(Region.bar0, offset, count) + u64(value).prefix(count))
    #expect(answer == access(Region.bar0, offset, count))
  }

  @Test func aSessionFromAttachToDetach() throws {
    let device = try device()
    let client = try device.connectSilently()
    // VERSION without any JSON, not even a NUL.
    #expect(try exchange(client, Number.version, u16(0, 1)) == version(serverJSON, minor: 1))
    #expect(try exchange(client, Number.getInfo, u32(16, 0, 0, 0)) == u32(16, 3, 9, 5))

    // Region information: 4,080 bytes with an argsz of 4,064.
    var files: [Int32] = []
    defer { for file in files { close(file) } }
    for index in 0..<9 as Range<UInt32> {
      let payload = u32(4064, 0, index, 0) + [UInt8](repeating: 0, count: 4064 - 16)
      let answer = try exchange(client, Number.getRegionInfo, payload, received: &files)
      switch index {
      case Region.bar0:
        #expect(
          answer == u32(64, 15, 0, 32) + u64(0x4000, 0) + u16(1, 1) + u32(0, 1, 0) + u64(0x1000, 0x1000))
        #expect(files.count == 1)
      case Region.bar4: #expect(answer == regionInfo(4, flags: 3, size: 0x2000))
      case Region.config: #expect(answer == regionInfo(7, flags: 3, size: 0x1000))
      default: #expect(answer == regionInfo(index))
      }
    }
    #expect(files.count == 1)
    // The window that must cover [1000h, 2000h).
    let doorbells = try MemoryMapping(fd: files[0], offset: 0x1000, count: 0x1000, [.read, .write])

    // IOVA = VA, with the file behind it.
    let base: UInt64 = 0x2000_0020_0000
    let ram = try GuestRAM(pages: 512)
    #expect(
      try exchange(client, Number.dmaMap, dmaMap(base, ram.size), descriptors: [ram.descriptor]) == [])
    // Bus master and INTx disable.
    #expect(
      try exchange(client, Number.regionRead, access(Region.config, 4, 2)) == access(Region.config, 4, 2) + u16(0))
    #expect(
      try exchange(client, Number.regionWrite, access(Region.config, 4, 2) + u16(0x0404)) == access(Region.config, 4, 2)
    )

    // CAP and VS, queues by 8-byte writes, 256 entries, EN.
    #expect(try read(client, 0, 8) == 0x20_ff01_00ff)
    #expect(try read(client, 8, 4) == 0x1_0400)
    #expect(try read(client, 0x14, 4) == 0)
    #expect(try read(client, 0x1c, 4) == 0)
    try write(client, 0x28, base, 8)
    try write(client, 0x30, base + 0x4000, 8)
    try write(client, 0x24, 0x00ff_00ff, 4)
    try write(client, 0x14, 0x46_0001, 4)
    #expect(try read(client, 0x1c, 4) == 1)

    // Admin commands by mapped doorbells, found by their phase: nobody asks for interrupts.
    func admin(_ index: Int, _ entry: SubmissionQueueEntry) throws -> Status {
      withUnsafeBytes(of: entry) { ram.store(Array($0), at: index * 64) }
      SharedWord(at: doorbells.base).store(UInt32(index + 1))
      let offset = 0x4000 + index * 16
      let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
      while ram.word(at: offset + 12).load() & 0x1_0000 == 0 {
        guard Clock.monotonic < deadline else { throw Errno(rawValue: ETIMEDOUT) }
        sched_yield()
      }
      SharedWord(at: doorbells.base + 4).store(UInt32(index + 1))
      return CompletionQueueEntry(ram.load(offset), ram.load(offset + 8)).status
    }
    #expect(try admin(0, Driver.identify(prp1: base + 0x10_0000)) == .success)
    #expect(ram.bytes(0x10_0004, 6) == Array("serial".utf8))
    #expect(ram.bytes(0x10_0000 + 536, 4) != u32(3), "SGLS 3 is an assertion of SPDK's")
    // Identify CNS 06h, Number of Queues, active namespaces, namespace 1 and its identifiers.
    for (index, entry) in [
      SubmissionQueueEntry(cdw0: 0x06, dataPointer0: base + 0x10_0000, cdw10: 6),
      SubmissionQueueEntry(cdw0: 0x09, cdw10: 7, cdw11: 0x03ff_03ff),
      SubmissionQueueEntry(cdw0: 0x06, dataPointer0: base + 0x10_0000, cdw10: 2),
      SubmissionQueueEntry(cdw0: 0x06, namespaceIdentifier: 1, dataPointer0: base + 0x10_0000),
      SubmissionQueueEntry(cdw0: 0x06, namespaceIdentifier: 1, dataPointer0: base + 0x10_0000, cdw10: 3),
      // CQ and SQ of 256 entries: polled, physically contiguous.
      SubmissionQueueEntry(cdw0: 0x05, dataPointer0: base + 0x1_0000, cdw10: 0x00ff_0001, cdw11: 1),
      SubmissionQueueEntry(cdw0: 0x01, dataPointer0: base + 0x2_0000, cdw10: 0x00ff_0001, cdw11: 0x1_0001),
    ].enumerated() {
      #expect(try admin(index + 1, entry) == .success, "command \(index)")
    }
    // I/O of 4 KiB at an offset of 512 bytes.
    for (index, opcode) in [0x01, 0x02].enumerated() {
      ram.fill(index == 0 ? 0x77 : 0, 0x18_0200, 4096)
      let entry = SubmissionQueueEntry(
        cdw0: UInt32(opcode), namespaceIdentifier: 1, dataPointer0: base + 0x18_0200, dataPointer1: base + 0x18_1000,
        cdw10: 8, cdw12: 7)
      // PRP2 follows PRP1 in memory: the 512 bytes behind the first page.
      withUnsafeBytes(of: entry) { ram.store(Array($0), at: 0x2_0000 + index * 64) }
      SharedWord(at: doorbells.base + 8).store(UInt32(index + 1))
      let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
      while ram.word(at: 0x1_000c + index * 16).load() & 0x1_0000 == 0 {
        guard Clock.monotonic < deadline else { throw Errno(rawValue: ETIMEDOUT) }
        sched_yield()
      }
      let completion = CompletionQueueEntry(ram.load(0x1_0000 + index * 16), ram.load(0x1_0008 + index * 16))
      #expect(completion.status == .success)
      SharedWord(at: doorbells.base + 12).store(UInt32(index + 1))
    }
    #expect(ram.bytes(0x18_0200, 4096) == [UInt8](repeating: 0x77, count: 4096))

    // Detach: shutdown, the unmap with the file once more, and the end.
    #expect(try admin(8, SubmissionQueueEntry(cdw0: 0x00, cdw10: 1)) == .success)
    #expect(try admin(9, SubmissionQueueEntry(cdw0: 0x04, cdw10: 1)) == .success)
    #expect(try read(client, 0x14, 4) == 0x46_0001)
    try write(client, 0x14, 0x46_4001, 4)
    let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
    while try read(client, 0x1c, 4) & 0xc != 8, Clock.monotonic < deadline {}
    #expect(
      try exchange(client, Number.dmaUnmap, dmaUnmap(base, ram.size), descriptors: [ram.descriptor])
        == dmaUnmap(base, ram.size))
    #expect(try ram.mappings() == 0)
    client.disconnect()
    // The next one.
    #expect(try device.connectSilently().negotiate(nil) == reply(Number.version, version(serverJSON)))
  }
}
