import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer

/// A whole session that was good, sent again and cut off: the next client finds all well, and nothing is left.
@Suite struct SessionCutTests {
  /// A recorded message.
  private struct Message {
    let bytes: [UInt8]
    let descriptors: [Int32]

    /// The kind of message: its command, and of an access the region.
    var kind: [UInt8] {
      let number = Array(bytes[2..<4])
      let isAccess = number == u16(Number.regionRead) || number == u16(Number.regionWrite)
      return isAccess && bytes.count >= 28 ? number + bytes[24..<28] : number
    }
  }

  /// What a session needs as long as it is sent again.
  private final class Session {
    let messages: [Message]
    private let driver: Driver
    private let other: GuestRAM
    private let vectors: [Interrupt]

    /// Has a client do all that there is, and records it.
    init(_ device: ServedDevice) throws {
      let client = try device.connectSilently()
      client.sent = []
      try client.negotiate()
      _ = try client.exchange(command(Number.getInfo, u32(16, 0, 0, 0)))
      for region in [Region.bar0, Region.bar4, Region.config] {
        _ = try client.exchange(command(Number.getRegionInfo, regionInfo(region)))
      }
      _ = try client.exchange(command(Number.getIRQInfo, irqInfo(IRQ.msix)))
      _ = try client.exchange(command(Number.getRegionIOFDs, u32(4096, 0, 0, 0)))
      _ = try client.exchange(command(Number.feature, u32(8, 0)))
      _ = try client.readBytes(Region.config, 0, 256)
      driver = try Driver.enabled(client)
      other = try GuestRAM(pages: 4)
      vectors = try (0..<3).map { _ in try Interrupt() }
      try client.installVectors(0, vectors.map(\.rawValue))
      try client.map(0x8000_0000, other.size, other.descriptor, flags: 1)
      try client.write(Region.bar4, 0, 0xfee0_0000, 8)
      try driver.createQueues(vector: 1)
      guard try driver.identifies() else { throw Errno.protocolError }
      let data = driver.address(Driver.dataPage)
      for command in [Driver.transfer(0x01, block: 1, prp1: data), Driver.transfer(0x02, block: 2, prp1: data)] {
        guard try driver.execute(command, queue: 1).status == .success else { throw Errno.protocolError }
      }
      _ = try client.exchange(
        command(Number.setIRQs, setIRQs(IRQ.msix, IRQ.bool | IRQ.trigger, count: 3, [1, 0, 1])))
      let value = u64(0x14) + u32(Region.bar0, 4) + u64(0x46_0001)
      _ = try client.exchange(command(Number.writeMulti, u64(1) + value))
      try client.unmap(0x8000_0000, other.size)
      try client.post(0x1008, driver.tail(1))
      try client.reset()
      // Polling is recorded as one look.
      var messages: [Message] = []
      for (bytes, descriptors) in client.sent ?? [] where bytes != messages.last?.bytes {
        messages.append(Message(bytes: bytes, descriptors: descriptors))
      }
      self.messages = messages
      client.disconnect()
    }

    /// Sends the messages before one, and some bytes of it with all its descriptors.
    func send(_ client: Client, to index: Int, bytes: Int) throws {
      var plain: [UInt8] = []
      for message in messages[..<index] {
        if !message.descriptors.isEmpty {
          if !plain.isEmpty { try client.send(plain) }
          plain = []
          try client.send(message.bytes, descriptors: message.descriptors)
        } else {
          plain += message.bytes
        }
      }
      let part = Array(messages[index].bytes.prefix(bytes))
      if !messages[index].descriptors.isEmpty, bytes > 0 {
        if !plain.isEmpty { try client.send(plain) }
        try client.send(part, descriptors: messages[index].descriptors)
      } else if !(plain + part).isEmpty {
        try client.send(plain + part)
      }
    }
  }

  /// Where the session is cut: behind each byte of each message.
  private static func cuts(_ messages: [Message]) -> [(index: Int, bytes: Int)] {
    messages.enumerated().flatMap { index, message in ((index == 0 ? 0 : 1)...message.bytes.count).map { (index, $0) } }
  }

  /// How many descriptors are open while a fresh client is served: not more than expected, or what there are at last.
  private static func openDescriptors(_ device: ServedDevice, awaiting expected: Int = 0) throws -> Int {
    let client = try device.connect()
    let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
    while expected > 0, descriptorNumbers().count > expected, Clock.monotonic < deadline { sched_yield() }
    defer { client.disconnect() }
    return descriptorNumbers().count
  }

  @Test func aSessionMayEndAtEveryByte() async {
    await #expect(processExitsWith: .success) {
      let device = try ServedDevice(threads: 2)
      let session = try Session(device)
      let kinds = Set(session.messages.map(\.kind))
      guard kinds.count >= 14 else {
        print("only \(kinds.count) kinds of messages in \(session.messages.count)")
        exit(2)
      }
      let before = try Self.openDescriptors(device)
      var cuts = 0
      for (index, bytes) in Self.cuts(session.messages) {
        let client = try device.connectSilently()
        do {
          try session.send(client, to: index, bytes: bytes)
        } catch {
          print("message \(index), \(bytes) bytes: the server went first: \(error)")
          exit(3)
        }
        client.disconnect()
        cuts += 1
        // Whoever comes next introduces itself, and at the end of each message has the device work.
        let next = try device.connect()
        if bytes == session.messages[index].bytes.count {
          guard try Driver.enabled(next).identifies() else { exit(4) }
        }
        next.disconnect()
      }
      guard cuts > 1000 else {
        print("\(cuts) cuts")
        exit(5)
      }
      let after = try Self.openDescriptors(device, awaiting: before)
      guard after <= before else {
        print("\(after - before) descriptors are left")
        exit(6)
      }
    }
  }
}
