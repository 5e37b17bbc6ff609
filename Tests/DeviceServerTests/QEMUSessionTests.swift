import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer

/// What QEMU 11.1.3 sends from its start to the end of a guest, byte for byte as captured, and what it must be answered.
@Suite struct QEMUSessionTests {
  /// QEMU's end of the socket: message identifiers count up, and posted writes are counted too.
  private final class QEMU {
    let client: Client
    private var identifier: UInt16 = 0

    init(_ client: Client) { self.client = client }

    private func takeIdentifier() -> UInt16 {
      defer { identifier &+= 1 }
      return identifier
    }

    /// Sends a command and expects the reply with this payload, or this error.
    func call(
      _ number: UInt16, _ payload: [UInt8] = [], descriptors: [Int32] = [], answer: [UInt8] = [], error: Int32? = nil,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let id = takeIdentifier()
      let bytes = try client.exchange(command(number, id: id, payload), descriptors: descriptors)
      let expected = error.map { refusal(number, id: id, $0) } ?? reply(number, id: id, answer)
      #expect(bytes == expected, sourceLocation: sourceLocation)
    }

    /// Sends commands one after the other, and only then reads the replies.
    func pipeline(
      _ commands: [(number: UInt16, payload: [UInt8], descriptor: Int32?)],
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let first = identifier
      for (number, payload, descriptor) in commands {
        try client.send(
          command(number, id: takeIdentifier(), payload), descriptors: descriptor.map { [$0] } ?? [])
      }
      for (index, item) in commands.enumerated() {
        let answer = item.number == Number.dmaUnmap ? item.payload : []
        #expect(
          try client.receive() == reply(item.number, id: first &+ UInt16(index), answer),
          sourceLocation: sourceLocation)
      }
    }

    /// Writes a register without waiting for a reply, which must not come.
    func post(_ offset: UInt64, _ value: UInt32) throws {
      let payload = access(Region.bar0, offset, 4) + u32(value)
      try client.send(command(Number.regionWrite, id: takeIdentifier(), flags: noReply, payload))
    }

    /// Reads a register or configuration space.
    func read(_ region: UInt32, _ offset: UInt64, _ count: Int) throws -> UInt64 {
      let id = takeIdentifier()
      let answer = try client.exchange(command(Number.regionRead, id: id, access(region, offset, count)))
      let head = u16(id, Number.regionRead) + u32(UInt32(32 + count), 1, 0) + access(region, offset, count)
      #expect(Array(answer.prefix(32)) == head)
      return answer.dropFirst(32).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Writes to configuration space, which QEMU always waits for.
    func writeConfiguration(
      _ offset: UInt64, _ value: UInt32, _ count: Int = 4, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let head = access(Region.config, offset, count)
      try call(
        Number.regionWrite, head + u32(value).prefix(count), answer: head, sourceLocation: sourceLocation)
    }
  }

  private let ramSize: UInt64 = 0x20_0000

  @Test func theRequestIsAsLongAsCaptured() {
    #expect(command(Number.version, version(qemuJSON)).count == 214)
    #expect(reply(Number.version, version(serverJSON)).count <= 214, "QEMU refuses a reply that is longer")
  }

  @Test func aGuestFromItsStartToItsEnd() throws {
    let device = try ServedDevice()
    let qemu = QEMU(try device.connectSilently())
    let ram = try GuestRAM(pages: Int(ramSize) / 4096)
    try connect(qemu, ram)
    try realize(qemu)
    try resetMachine(qemu)
    try remapFirstMegabyte(qemu, ram)
    try runFirmwareDriver(qemu, ram)
    try runLinux(qemu, ram)
    try powerOff(qemu)
    // The next machine finds the device as this one did.
    let next = QEMU(try device.connectSilently())
    try connect(next, ram)
    try realize(next)
  }

  /// Rows 1 to 3: the version, and memory before any question about the device.
  private func connect(_ qemu: QEMU, _ ram: GuestRAM) throws {
    try qemu.call(Number.version, version(qemuJSON), answer: version(serverJSON))
    try qemu.pipeline([
      (Number.dmaMap, dmaMap(0, ramSize), ram.descriptor),
      (Number.dmaMap, dmaMap(0xfffc_0000, 0x4_0000, flags: 1), nil),
    ])
  }

  /// Rows 4 to 11: the questions about the device.
  private func realize(_ qemu: QEMU) throws {
    try qemu.call(Number.getInfo, u32(16, 0, 0, 0), answer: u32(16, 3, 9, 5))
    for index in [0, 1, 2, 3, 4, 5, 7] as [UInt32] {
      let sizes: [UInt32: UInt64] = [0: 0x4000, 4: 0x2000, 7: 0x1000]
      let size = sizes[index] ?? 0
      try qemu.call(
        Number.getRegionInfo, regionInfo(index), answer: regionInfo(index, flags: size == 0 ? 0 : 3, size: size))
    }
    try qemu.call(Number.getIRQInfo, irqInfo(IRQ.error), answer: irqInfo(IRQ.error, flags: 1, count: 1))

    // All of configuration space at once.
    let space = try qemu.client.readBytes(Region.config, 0, 4096)
    #expect(Array(space[0..<12]) == [0xf4, 0x1a, 0xf0, 0x10, 0, 0, 0x10, 0, 1, 2, 8, 1])
    #expect(space[0x100...].allSatisfy { $0 == 0 })
    // There is no expansion ROM, which shows by its size.
    try qemu.writeConfiguration(0x30, 0xffff_f800)
    #expect(try qemu.read(Region.config, 0x30, 4) == 0)
    try qemu.writeConfiguration(0x30, 0)
    // BARs, and MSI-X: 65 vectors, table and pending bits in BAR4.
    #expect(try (4..<10).map { try qemu.read(Region.config, $0 * 4, 4) } == [4, 0, 0, 0, 4, 0])
    #expect(space[0x34] == 0x40 && space[0x41] == 0x50 && space[0x50] == 0x11)
    #expect(try qemu.read(Region.config, 0x52, 2) == 64)
    #expect(try qemu.read(Region.config, 0x54, 4) == 4)
    #expect(try qemu.read(Region.config, 0x58, 4) == 0x1004)
    try qemu.call(Number.getIRQInfo, irqInfo(IRQ.msix), answer: irqInfo(IRQ.msix, flags: 1, count: 65))
    // No interrupt pin: QEMU asks for no INTx eventfd. ERR has one.
    for _ in 0..<2 { #expect(try qemu.read(Region.config, 0x3d, 1) == 0) }
    let error = try EventFD()
    try qemu.call(
      Number.setIRQs, setIRQs(IRQ.error, IRQ.eventfd | IRQ.trigger, count: 1), descriptors: [error.rawValue])
  }

  /// Row 12.
  private func resetMachine(_ qemu: QEMU) throws {
    try qemu.call(Number.setIRQs, setIRQs(IRQ.intx, IRQ.none | IRQ.trigger, count: 0))
    #expect(try qemu.read(Region.config, 4, 2) == 0)
    try qemu.writeConfiguration(4, 0, 2)
    #expect(try qemu.read(Region.config, 0x44, 2) == 8)
    try qemu.call(Number.reset)
    #expect(try qemu.read(Region.config, 0x3d, 1) == 0)
    for offset in stride(from: 0x10, through: 0x24, by: 4) as StrideThrough<UInt64> {
      try qemu.writeConfiguration(offset, 0)
    }
  }

  /// Row 13: the chipset's PAM registers, within a fraction of a second.
  private func remapFirstMegabyte(_ qemu: QEMU, _ ram: GuestRAM) throws {
    let file = ram.descriptor
    func map(_ start: UInt64, _ end: UInt64, flags: UInt32 = 3) -> (
      number: UInt16, payload: [UInt8], descriptor: Int32?
    ) {
      (Number.dmaMap, dmaMap(start, end - start, offset: start, flags: flags), file)
    }
    func rom(_ start: UInt64, _ end: UInt64) -> (number: UInt16, payload: [UInt8], descriptor: Int32?) {
      (Number.dmaMap, dmaMap(start, end - start, flags: 1), nil)
    }
    func unmap(_ start: UInt64, _ end: UInt64) -> (number: UInt16, payload: [UInt8], descriptor: Int32?) {
      (Number.dmaUnmap, dmaUnmap(start, end - start), nil)
    }
    try qemu.pipeline([
      unmap(0, ramSize), map(0, 0xc_0000), rom(0xc_0000, 0xe_0000), rom(0xe_0000, 0x10_0000), map(0x10_0000, ramSize),
    ])
    try qemu.pipeline([
      unmap(0xc_0000, 0xe_0000), unmap(0xe_0000, 0x10_0000), unmap(0, 0xc_0000), map(0, 0x10_0000),
    ])
    try qemu.pipeline([
      unmap(0, 0x10_0000), map(0, 0xc_3000), map(0xc_3000, 0xe_8000, flags: 1), map(0xe_8000, 0xf_0000),
      map(0xf_0000, 0x10_0000, flags: 1),
    ])
    // The BAR of a device, which is no memory (row 17), comes and goes with memory decode.
    try qemu.pipeline([(Number.dmaMap, dmaMap(0xfebd_1000, 0x1000), nil)])
    try qemu.pipeline([(Number.dmaUnmap, dmaUnmap(0xfebd_1000, 0x1000), nil)])
  }

  private func waitForReady(_ qemu: QEMU, _ value: UInt64) throws {
    let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
    while try qemu.read(Region.bar0, 0x1c, 4) != value {
      guard Clock.monotonic < deadline else { throw Errno(rawValue: ETIMEDOUT) }
    }
  }

  /// Sets up the admin queue at 180000h and 181000h: ASQ and ACQ in halves, all of it posted.
  private func enable(_ qemu: QEMU, _ ram: GuestRAM) throws {
    ram.fill(0, 0x18_0000, 0x2000)
    try qemu.post(0x14, 0)
    try waitForReady(qemu, 0)
    try qemu.post(0x24, 0x001f_001f)
    for (offset, value) in [(0x28, 0x18_0000), (0x2c, 0), (0x30, 0x18_1000), (0x34, 0)] as [(UInt64, UInt32)] {
      try qemu.post(offset, value)
    }
    try qemu.post(0x14, 0x46_0001)
    try waitForReady(qemu, 1)
  }

  /// Identify Controller in entry `index` of the admin queue, by posted doorbells; the completion is polled for.
  private func identify(_ qemu: QEMU, _ ram: GuestRAM, _ index: Int) throws {
    ram.fill(0xee, 0x18_2000, 4096)
    let entry = Driver.identify(prp1: 0x18_2000)
    withUnsafeBytes(of: entry) { ram.store(Array($0), at: 0x18_0000 + index * 64) }
    try qemu.post(0x1000, UInt32(index + 1))
    // A read is ordered behind the posted write, and the admin queue is served at once.
    #expect(try qemu.read(Region.bar0, 0x1c, 4) == 1)
    let completion = CompletionQueueEntry(
      ram.load(0x18_1000 + index * 16), ram.load(0x18_1000 + index * 16 + 8))
    #expect(completion.phaseTag && completion.status == .success)
    #expect(completion.sqHead == UInt16(index + 1))
    try qemu.post(0x1004, UInt32(index + 1))
    #expect(ram.bytes(0x18_2004, 6) == Array("serial".utf8))
  }

  /// Rows 14 and 16: SeaBIOS enumerates, runs a driver of its own and leaves it behind.
  private func runFirmwareDriver(_ qemu: QEMU, _ ram: GuestRAM) throws {
    for (offset, size) in [(0x10, 0xffff_c004), (0x14, 0xffff_ffff), (0x20, 0xffff_e004)] as [(UInt64, UInt64)] {
      try qemu.writeConfiguration(offset, 0xffff_ffff)
      #expect(try qemu.read(Region.config, offset, 4) == size)
    }
    try qemu.writeConfiguration(0x10, 0xfebd_0000)
    try qemu.writeConfiguration(0x14, 0)
    #expect(try qemu.read(Region.config, 0x10, 4) == 0xfebd_0004)
    try qemu.writeConfiguration(4, 0x107, 2)
    #expect(try qemu.read(Region.config, 4, 2) == 0x106, "there is no I/O space to enable")
    #expect(try qemu.read(Region.bar0, 0, 4) == 0xff01_00ff, "CAP: 256 entries, contiguous, 127.5 s")
    #expect(try qemu.read(Region.bar0, 4, 4) == 0x20, "CAP: the NVM command set, stride 0, 4 KiB pages")
    #expect(try qemu.read(Region.bar0, 8, 4) == 0x1_0400)
    try enable(qemu, ram)
    try identify(qemu, ram, 0)
    try identify(qemu, ram, 1)
  }

  /// Rows 15 and 19: Linux resets the function, takes MSI-X and runs.
  private func runLinux(_ qemu: QEMU, _ ram: GuestRAM) throws {
    // FLR by DEVCTL bit 15 of the PCI Express capability: the firmware's queues are gone when it is answered.
    try qemu.writeConfiguration(0x68, 0x2810 | 0x8000, 2)
    #expect(try qemu.read(Region.config, 0x68, 2) == 0x2810)
    #expect(try qemu.read(Region.bar0, 0x1c, 4) == 0)
    #expect(try qemu.read(Region.bar0, 0x28, 4) == 0)
    #expect(try qemu.read(Region.config, 4, 2) == 0)
    try qemu.writeConfiguration(0x10, 0xfebd_0000)
    try qemu.writeConfiguration(4, 0x506, 2)

    // MSI-X: enabled, no trigger yet, then an eventfd for each vector that is unmasked.
    try qemu.writeConfiguration(0x52, 0xc040, 2)
    try qemu.call(Number.setIRQs, setIRQs(IRQ.intx, IRQ.none | IRQ.trigger, count: 0))
    try qemu.call(Number.setIRQs, setIRQs(IRQ.msix, IRQ.eventfd | IRQ.trigger, start: 0, count: 1))
    try qemu.writeConfiguration(0x52, 0x8040, 2)
    let vectors = try [Interrupt(), Interrupt()]
    try qemu.call(
      Number.setIRQs, setIRQs(IRQ.msix, IRQ.eventfd | IRQ.trigger, start: 0, count: 1),
      descriptors: [vectors[0].rawValue])
    try qemu.call(
      Number.setIRQs, setIRQs(IRQ.msix, IRQ.eventfd | IRQ.trigger, start: 1, count: 1),
      descriptors: [vectors[1].rawValue])
    try enable(qemu, ram)
    #expect(vectors[0].take() == 0)
    try identify(qemu, ram, 0)
    #expect(vectors[0].take() == 1)
    #expect(vectors[1].take() == 0)
    // Masked in the middle: the eventfd is taken out, and the interrupt comes when it is back.
    try qemu.call(Number.setIRQs, setIRQs(IRQ.msix, IRQ.eventfd | IRQ.trigger, start: 0, count: 1))
    try identify(qemu, ram, 1)
    #expect(vectors[0].take() == 0)
    try qemu.call(
      Number.setIRQs, setIRQs(IRQ.msix, IRQ.eventfd | IRQ.trigger, start: 0, count: 1),
      descriptors: [vectors[0].rawValue])
    #expect(vectors[0].take() == 1)
    // A doorbell of another width is none, and a value beyond the queue is not one either.
    try qemu.call(
      Number.regionWrite, access(Region.bar0, 0x1000, 2) + u16(5), answer: access(Region.bar0, 0x1000, 2))
    try qemu.post(0x1000, 0x1000)
    try identify(qemu, ram, 2)
  }

  /// Row 20: shutdown, MSI-X off, and the socket closes without a word.
  private func powerOff(_ qemu: QEMU) throws {
    try qemu.post(0x14, 0x46_4001)
    try waitForReady(qemu, 9)
    try qemu.writeConfiguration(0x52, 0x0040, 2)
    try qemu.call(Number.setIRQs, setIRQs(IRQ.msix, IRQ.none | IRQ.trigger, count: 0))
    try qemu.writeConfiguration(4, 0x400, 2)
    qemu.client.disconnect()
  }
}
