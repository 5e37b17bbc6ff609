import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer

/// What a client leaves behind, counted in a process of its own: nothing else opens descriptors there.
@Suite struct DescriptorTests {
  /// Messages with descriptors and without, each of which a client may leave in the middle.
  private static func messages(_ ram: GuestRAM, _ event: Interrupt) -> [(bytes: [UInt8], descriptors: [Int32])] {
    let events = [Int32](repeating: event.rawValue, count: 5)
    return [
      (command(Number.dmaMap, dmaMap(0x10_0000, ram.size)), [ram.descriptor]),
      (command(Number.dmaUnmap, dmaUnmap(0x10_0000, ram.size)), [ram.descriptor]),
      (command(Number.setIRQs, setIRQs(IRQ.msix, IRQ.eventfd | IRQ.trigger, count: 5)), events),
      (command(Number.setIRQs, setIRQs(IRQ.error, IRQ.eventfd | IRQ.trigger, count: 1)), [event.rawValue]),
      // Refused, with descriptors that nobody takes.
      (
        command(Number.setIRQs, setIRQs(IRQ.msix, IRQ.eventfd | IRQ.trigger, count: 2)),
        [event.rawValue, ram.descriptor]
      ),
      (command(Number.dmaMap, dmaMap(1, 1)), [ram.descriptor]),
      (command(Number.getInfo, u32(16, 0, 0, 0)), events),
      (command(Number.regionWrite, flags: noReply, access(Region.bar0, 0x14, 4) + u32(0x46_0001)), events),
      (command(Number.getRegionIOFDs, u32(4096, 0, 0, 0)), []),
      (command(Number.reset), []),
    ]
  }

  /// Descriptors that are open while a fresh client is connected: not more each time, if nothing was left.
  private static func openWithAClient(_ device: ServedDevice, awaiting expected: Int? = nil) throws -> Int {
    let client = try device.connect()
    let count = expected.map(openDescriptors(awaiting:)) ?? descriptorNumbers().count
    client.disconnect()
    return count
  }

  /// How many descriptors are open: not more than expected, or else what there are when patience ends. An I/O thread may
  /// hold its last reference to a controller a moment longer than the control thread.
  private static func openDescriptors(awaiting expected: Int) -> Int {
    let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
    while Clock.monotonic < deadline, descriptorNumbers().count > expected { sched_yield() }
    return descriptorNumbers().count
  }

  @Test func aClientThatGoesInTheMiddleOfAMessageLeavesNothing() async {
    await #expect(processExitsWith: .success) {
      let device = try ServedDevice()
      let ram = try GuestRAM(pages: 4)
      let event = try Interrupt()
      let before = try Self.openWithAClient(device)
      for message in Self.messages(ram, event) {
        for cut in 0...message.bytes.count {
          let client = try device.connect()
          let part = Array(message.bytes.prefix(cut))
          try client.send(part, descriptors: part.isEmpty ? [] : message.descriptors)
        }
        let after = try Self.openWithAClient(device, awaiting: before)
        guard after <= before else {
          print("\(after - before) descriptors are left by \(message.bytes)")
          exit(1)
        }
        guard try ram.mappings() == 0 else { exit(2) }
      }
      withExtendedLifetime(event) {}
      // Before it has introduced itself, and in its introduction.
      let introduction = command(Number.version, version(qemuJSON))
      for cut in 0..<introduction.count {
        let client = try device.connectSilently()
        try client.send(Array(introduction.prefix(cut)), descriptors: cut == 0 ? [] : [ram.descriptor])
      }
      withExtendedLifetime(ram) {}
      guard try Self.openWithAClient(device, awaiting: before) <= before else { exit(3) }
    }
  }

  @Test func aClientThatGoesInTheMiddleOfItsWorkLeavesNothing() async {
    await #expect(processExitsWith: .success) {
      let device = try ServedDevice(threads: 2)
      let before = try Self.openWithAClient(device)
      for round in 0..<50 {
        let client = try device.connect()
        let driver = try Driver.enabled(client)
        let vectors = try (0..<65).map { _ in try Interrupt() }
        try client.installVectors(0, vectors.prefix(33).map(\.rawValue))
        try client.installVectors(33, vectors.suffix(32).map(\.rawValue))
        // Replaced, and replaced once more.
        try client.installVectors(0, vectors.suffix(33).map(\.rawValue))
        withExtendedLifetime(vectors) {}
        try driver.createQueues(vector: 0)
        for index in 0..<15 {
          driver.put(
            Driver.transfer(0x02, block: UInt64(index), prp1: driver.address(Driver.dataPage)), queue: 1)
        }
        try client.post(0x1008, driver.tail(1))
        switch round % 4 {
        case 0: break
        case 1: try client.send(command(Number.reset))
        case 2: try client.send(command(Number.dmaUnmap, dmaUnmap(driver.base, driver.ram.size)))
        default: try client.send(command(Number.setIRQs, setIRQs(IRQ.msix, IRQ.none | IRQ.trigger, count: 0)))
        }
      }
      let after = try Self.openWithAClient(device, awaiting: before)
      guard after <= before else {
        print("\(after - before) descriptors are left")
        exit(1)
      }
    }
  }

  @Test func aServerThatEndsLeavesNothing() async {
    await #expect(processExitsWith: .success) {
      let pool = try startPool()
      // What the process opens once and keeps.
      try ServedDevice(pool: pool).stop()
      let before = descriptorNumbers().count
      for round in 0..<10 {
        let device = try ServedDevice(pool: pool)
        if round % 2 == 0 { _ = try Driver.enabled(try device.connect()) }
        device.stop()
      }
      let after = Self.openDescriptors(awaiting: before)
      guard after <= before else {
        print("\(after - before) descriptors are left")
        exit(1)
      }
      pool.stop()
    }
  }

  @Test func everyPlaceOfAThreadIsGivenBack() async {
    await #expect(processExitsWith: .success) {
      // More clients, one after the other, than an I/O thread has places.
      let device = try ServedDevice()
      for _ in 0..<200 { _ = try device.connect() }
    }
  }

  /// At the limit of open files nobody can be accepted. The client waits, and the server does not spin meanwhile.
  @Test func aClientThatCannotBeAcceptedWaits() async {
    await #expect(processExitsWith: .success) {
      let device = try ServedDevice()
      try device.connect().disconnect()
      // A client's own socket, made before the limit falls below every number that is free.
      let socket = FileDescriptor(owning: Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
      guard let usual = setDescriptorLimit(3) else { exit(2) }
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: device.path.utf8) }
      let connected = withUnsafePointer(to: address) {
        connect(
          socket.rawValue, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self),
          socklen_t(MemoryLayout<sockaddr_un>.size))
      }
      guard connected == 0 else { exit(3) }
      let client = Client(socket)
      try client.send(command(Number.version, version(qemuJSON)))
      // It is not answered as long as that lasts, and hardly a cycle is spent on it.
      let start = clock()
      var entry = pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, 500) == 0 else { exit(4) }
      guard clock() - start < CLOCKS_PER_SEC / 8 else { exit(5) }
      guard setDescriptorLimit(usual) == 3 else { exit(6) }
      guard try client.receive() == reply(Number.version, version(serverJSON)) else { exit(7) }
    }
  }

  /// At the limit the kernel hands messages over without their descriptors, and only says so: a map that has lost its
  /// file is not one of memory that the client alone can reach.
  @Test func aMessageThatLostItsDescriptorsEndsTheConnection() async {
    await #expect(processExitsWith: .success) {
      let device = try ServedDevice()
      let client = try device.connect()
      let ram = try GuestRAM(pages: 4)
      // What is printed when an exit test fails needs no descriptor.
      guard let usual = setDescriptorLimit(3) else { exit(2) }
      try client.send(command(Number.dmaMap, dmaMap(0x10_0000, ram.size)), descriptors: [ram.descriptor])
      let isAtEnd = client.isAtEnd()
      guard setDescriptorLimit(usual) == 3 else { exit(3) }
      guard isAtEnd else { exit(4) }
      guard try Driver.enabled(try device.connect()).identifies() else { exit(5) }
    }
  }
}
