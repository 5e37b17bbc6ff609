import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer

/// DMA_MAP and DMA_UNMAP of a device that runs, and commands whose memory is not there.
@Suite struct MemoryTests {
  private let page: UInt64 = 4096

  private func map(_ client: Client, _ payload: [UInt8], _ descriptors: [Int32]) throws -> [UInt8] {
    try client.exchange(command(Number.dmaMap, payload), descriptors: descriptors)
  }

  private func unmap(_ client: Client, _ payload: [UInt8], _ descriptors: [Int32] = []) throws -> [UInt8] {
    try client.exchange(command(Number.dmaUnmap, payload), descriptors: descriptors)
  }

  // MARK: Messages

  @Test func memoryIsMappedUntilItIsUnmapped() throws {
    let client = try ServedDevice().connect()
    let ram = try GuestRAM(pages: 8)
    try client.map(0x10_0000, 0x4000, ram.descriptor)
    try client.map(0x20_0000, 0x4000, ram.descriptor, offset: 0x4000, flags: 1)
    #expect(try ram.mappings() == 2)
    // The very same once more is no error, and no second mapping.
    try client.map(0x10_0000, 0x4000, ram.descriptor)
    #expect(try ram.mappings() == 2)
    try client.unmap(0x10_0000, 0x4000)
    #expect(try ram.mappings() == 1, "unmapped when the reply is there")
    try client.unmap(0, 0, flags: 2)
    #expect(try ram.mappings() == 0)
  }

  @Test(arguments: [
    // argsz, unknown flags.
    u32(31, 3) + u64(0, 0, 0x1000), u32(0, 3) + u64(0, 0, 0x1000), dmaMap(0, 0x1000, flags: 4),
    dmaMap(0, 0x1000, flags: 0x8000_0003),
    // Empty, unaligned, past 2^64, more than the file has, an offset past 2^64.
    dmaMap(0, 0), dmaMap(0x200, 0x1000), dmaMap(0, 0x1200), dmaMap(.max - 0xfff, 0x2000), dmaMap(0x1000, .max - 0xfff),
    dmaMap(0, 0x9000), dmaMap(0, 0x1000, offset: 0x8000), dmaMap(0, 0x8000, offset: 1), dmaMap(0, 1 << 62),
    dmaMap(0, 0x1000, offset: .max), dmaMap(0, 0x1000, offset: .max - 0xfff), dmaMap(0, 0x1000, offset: 1 << 63),
  ])
  func amapThatCannotBeIsRefused(payload: [UInt8]) throws {
    let client = try ServedDevice().connect()
    let ram = try GuestRAM(pages: 8)
    #expect(try map(client, payload, [ram.descriptor]) == refusal(Number.dmaMap, EINVAL))
    #expect(try ram.mappings() == 0)
  }

  @Test func twoDescriptorsAreTooMany() throws {
    let client = try ServedDevice().connect()
    let ram = try GuestRAM(pages: 8)
    #expect(
      try map(client, dmaMap(0, 0x1000), [ram.descriptor, ram.descriptor]) == refusal(Number.dmaMap, EINVAL))
    #expect(try ram.mappings() == 0)
  }

  @Test func onlyFilesAreMappedAndAsTheyAreOpen() throws {
    let client = try ServedDevice().connect()
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let directory = try FileDescriptor(path: "/tmp", flags: O_RDONLY | O_DIRECTORY)
    let event = try Interrupt()
    let device = try FileDescriptor(path: "/dev/zero", flags: O_RDWR)
    for descriptor in [ends[0], ends[1], client.descriptor, directory.rawValue, event.rawValue, device.rawValue] {
      #expect(try map(client, dmaMap(0, 0x1000), [descriptor]) == refusal(Number.dmaMap, EINVAL))
    }
    let ram = try GuestRAM(pages: 1)
    let readOnly = try FileDescriptor(path: "/proc/self/fd/\(ram.descriptor)", flags: O_RDONLY)
    #expect(try map(client, dmaMap(0, 0x1000), [readOnly.rawValue]) == refusal(Number.dmaMap, EACCES))
    #expect(try map(client, dmaMap(0, 0x1000, flags: 1), [readOnly.rawValue]) == reply(Number.dmaMap))
  }

  /// Sealed against writing: data of write commands may come from it, and nothing may go there.
  @Test func whatIsSealedIsReadOnly() throws {
    let driver = try Driver.enabled(try ServedDevice().connect())
    try driver.createQueues(vector: nil)
    let file = try SharedMemory.sealed([UInt8](repeating: 0x5a, count: 4096).span, name: "sealed")
    let open = openDescriptors(ofTheFileBehind: file.rawValue)
    for flags in [2, 3] as [UInt32] {
      let refused = try map(driver.client, dmaMap(0x8000_0000, 0x1000, flags: flags), [file.rawValue])
      #expect(refused == refusal(Number.dmaMap, EPERM))
    }
    #expect(openDescriptors(ofTheFileBehind: file.rawValue) == open)
    // Linux before 6.7 maps it for nobody.
    guard (try? MemoryMapping(fd: file.rawValue, offset: 0, count: 4096, .read)) != nil else { return }
    try driver.client.map(0x8000_0000, page, file.rawValue, flags: 1)
    let data = driver.address(Driver.dataPage)
    for (command, status) in [
      (Driver.transfer(0x01, block: 3, prp1: 0x8000_0000), .success),
      (Driver.transfer(0x02, block: 4, prp1: 0x8000_0000), .dataTransferError),
      (Driver.transfer(0x02, block: 3, prp1: data), .success),
    ] as [(SubmissionQueueEntry, Status)] {
      #expect(try driver.execute(command, queue: 1).status == status)
    }
    #expect(driver.ram.bytes(Driver.dataPage * 4096, 512) == [UInt8](repeating: 0x5a, count: 512))
  }

  @Test func overlapsAreRefused() throws {
    let client = try ServedDevice().connect()
    let ram = try GuestRAM(pages: 8)
    try client.map(0x10_0000, 0x4000, ram.descriptor)
    for (iova, size) in [(0x10_0000, 0x1000), (0x10_3000, 0x2000), (0xf_f000, 0x2000), (0xf_f000, 0x8000)]
      as [(UInt64, UInt64)]
    {
      #expect(try map(client, dmaMap(iova, size), [ram.descriptor]) == refusal(Number.dmaMap, EEXIST))
      #expect(try map(client, dmaMap(iova, size), []) == refusal(Number.dmaMap, EEXIST))
    }
    #expect(try ram.mappings() == 1)
  }

  @Test func thousandsOfRangesAreNoProblem() throws {
    let client = try ServedDevice().connect()
    let driver = try Driver(client, base: 1 << 40)
    // Every second page, each a mapping of its own: what a virtual IOMMU makes of a guest.
    let count = 2000
    for index in 0..<count {
      try client.map(UInt64(index) * 0x2000, 0x1000, driver.ram.descriptor, offset: UInt64(index % 8) * 0x1000)
    }
    #expect(try driver.ram.mappings() > 64, "the kernel joins some of them")
    try client.setBusMaster(true)
    try driver.enable()
    driver.ram.fill(0, 7 * 4096, 4096)
    // Identify into the last one, which is page 7 of the file.
    #expect(try driver.execute(Driver.identify(prp1: UInt64(count - 1) * 0x2000)).status == .success)
    #expect(driver.ram.bytes(7 * 4096 + 4, 6) == Array("serial".utf8))
    // All of them with one message, holes and all.
    try client.unmap(0, 0xffff_ffff)
    #expect(try driver.ram.mappings() == 1)
    #expect(try driver.identifies())
  }

  @Test func thereIsALimitAndItCanBeLeftAgain() throws {
    var options = try testOptions()
    options.dmaMapLimit = 4
    let client = try ServedDevice(options).connect()
    let ram = try GuestRAM(pages: 1)
    for index in 0..<3 as Range<UInt64> { try client.map(index * page, page, ram.descriptor) }
    try client.map(3 * page, page, nil)
    #expect(try map(client, dmaMap(4 * page, page), [ram.descriptor]) == refusal(Number.dmaMap, ENOSPC))
    #expect(try map(client, dmaMap(4 * page, page), []) == refusal(Number.dmaMap, ENOSPC))
    try client.map(0, page, ram.descriptor)
    try client.unmap(3 * page, page)
    try client.map(4 * page, page, ram.descriptor)
    #expect(try ram.mappings() == 4)
  }

  @Test(arguments: [
    // Never mapped, in a hole, to 2^64 and beyond, empty.
    dmaUnmap(0x40_0000, 0x1000), dmaUnmap(0x20_0000, 0), dmaUnmap(0, 0), dmaUnmap(0xfee0_0000, 0xffff_ffff_0110_0000),
    dmaUnmap(0x40_0000, .max), dmaUnmap(.max, .max), dmaUnmap(0x20_0001, 0x321),
  ])
  func anUnmapOfWhatIsNotThereSucceeds(payload: [UInt8]) throws {
    let client = try ServedDevice().connect()
    let ram = try GuestRAM(pages: 8)
    try client.map(0x10_0000, 0x4000, ram.descriptor)
    try client.map(0x30_0000, 0x4000, ram.descriptor)
    #expect(try unmap(client, payload) == reply(Number.dmaUnmap, payload))
    #expect(try ram.mappings() == 2)
  }

  @Test(
    arguments: [
      // A part of a range; argsz; unknown flags; a range with "all".
      (dmaUnmap(0x10_0000, 0x1000), EINVAL), (dmaUnmap(0x10_1000, 0x3000), EINVAL), (dmaUnmap(0, 0x10_1000), EINVAL),
      (dmaUnmap(0x10_1000, .max), EINVAL), (u32(23, 0) + u64(0, 0), EINVAL),
      (dmaUnmap(0x10_0000, 0x4000, flags: 4), EINVAL),
      (dmaUnmap(0x10_0000, 0x4000, flags: 2), EINVAL), (dmaUnmap(0x10_0000, 0, flags: 2), EINVAL),
      (dmaUnmap(0, 0, flags: 3), EINVAL), (dmaUnmap(0x10_0000, 0x4000, flags: 1), EOPNOTSUPP),
    ] as [([UInt8], Int32)])
  func anUnmapThatCannotBeIsRefused(payload: [UInt8], error: Int32) throws {
    let client = try ServedDevice().connect()
    let ram = try GuestRAM(pages: 8)
    try client.map(0x10_0000, 0x4000, ram.descriptor)
    #expect(try unmap(client, payload) == refusal(Number.dmaUnmap, error))
    #expect(try ram.mappings() == 1)
  }

  @Test func aDescriptorWithAnUnmapIsClosed() throws {
    let client = try ServedDevice().connect()
    let ram = try GuestRAM(pages: 1)
    let open = openDescriptors(ofTheFileBehind: ram.descriptor)
    try client.map(0, page, ram.descriptor)
    let payload = dmaUnmap(0, page)
    #expect(try unmap(client, payload, [ram.descriptor]) == reply(Number.dmaUnmap, payload))
    // The next message closes what nobody took.
    _ = try client.read(Region.bar0, 8, 4)
    #expect(openDescriptors(ofTheFileBehind: ram.descriptor) == open)
  }

  // MARK: Memory of queues

  @Test func theQueueOfACommandGoesOnWhenARangeBesideItGoes() throws {
    let client = try ServedDevice().connect()
    let below = try GuestRAM(pages: 1)
    try client.map(0xf_f000, page, below.descriptor)
    let driver = try Driver.enabled(client)
    try client.map(0x11_0000, page, below.descriptor)
    #expect(try driver.identifies())
    try client.unmap(0x11_0000, page)
    #expect(try driver.identifies())
    try client.unmap(0xf_f000, page)
    #expect(try driver.identifies())
    #expect(try below.mappings() == 0)
  }

  @Test(arguments: [0, 1]) func aQueueWhoseMemoryGoesComesBackWithIt(queue: Int) throws {
    let driver = try Driver.enabled(try ServedDevice().connect())
    try driver.createQueues(vector: nil)
    let command =
      queue == 0
      ? Driver.identify(prp1: driver.address(2))
      : Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage))
    #expect(try driver.execute(command, queue: queue).status == .success)
    for _ in 0..<2 {
      try driver.unmap()
      #expect(try driver.ram.mappings() == 0)
      driver.put(command, queue: queue)
      try driver.ring(queue)
      #expect(try driver.status().rawValue == 1, "no failure: a guest's firmware does this")
      #expect(driver.completion(queue) == nil)
      try driver.remap()
      #expect(try driver.awaitCompletion(queue).status == .success)
    }
  }

  @Test func aQueueComesBackFromAnotherPlace() throws {
    let driver = try Driver.enabled(try ServedDevice().connect())
    #expect(try driver.identifies())
    try driver.unmap()
    // The same bytes, page for page a mapping of its own, from another file.
    let other = try GuestRAM(pages: Driver.pages * 2)
    for index in 0..<Driver.pages {
      other.store(driver.ram.bytes(index * 4096, 4096), at: index * 8192)
      try driver.client.map(
        driver.address(index), page, other.descriptor, offset: UInt64(index) * 8192)
    }
    let before = driver.ram.bytes(0, Driver.pages * 4096)
    let command = Driver.identify(prp1: driver.address(2))
    driver.put(command)
    // The command, as the driver stored it in the old place.
    other.store(driver.ram.bytes(64, 64), at: 64)
    driver.ram.store(Array(before[64..<128]), at: 64)
    try driver.ring()
    #expect(try driver.status().rawValue == 1)
    let completion = CompletionQueueEntry(other.load(8192 + 16), other.load(8192 + 24))
    #expect(completion.phaseTag && completion.status == .success)
    #expect(driver.ram.bytes(0, Driver.pages * 4096) == before, "nothing is written to the old place")
  }

  @Test(arguments: [
    // The last page, an address that wraps with the queue's size, nothing mapped, memory of the VMM alone.
    UInt64.max - 0xfff, UInt64.max - 0x1fff, 0x7fff_ffff_f000, 0xfffc_0000,
  ])
  func anAdminQueueThatIsNotThereFailsTheControllerAndNothingElse(address: UInt64) throws {
    let client = try ServedDevice().connect()
    let driver = try Driver(client)
    try client.map(0xfffc_0000, 0x4_0000, nil)
    try client.setBusMaster(true)
    for (submission, completion) in [(address, nil), (nil, address)] as [(UInt64?, UInt64?)] {
      try driver.setAdminQueues(submission: submission, completion: completion)
      // 4,096 entries: as long as queues can be.
      try client.write(Region.bar0, ControllerRegister.adminQueueAttributes, 0x0fff_0fff, 4)
      try client.write(Region.bar0, ControllerRegister.configuration, 0x46_0001, 4)
      #expect(try driver.status().controllerFatalStatus)
      #expect(try !driver.status().ready)
      try client.post(0x1000, 1)
      try driver.disable()
      #expect(try driver.awaitStatus { $0.rawValue == 0 })
    }
    try driver.enable()
    #expect(try driver.identifies())
  }

  @Test func queuesAreInMemoryThatTheDeviceMayAccess() throws {
    let client = try ServedDevice().connect()
    let driver = try Driver(client)
    try client.setBusMaster(true)
    try client.map(0x4000_0000, 0x2000, driver.ram.descriptor, flags: 1)
    try client.map(0x5000_0000, 0x2000, driver.ram.descriptor, flags: 2)
    for (submission, completion, isReady) in [
      (0x4000_0000, 0x5000_1000, true), (0x5000_0000, 0x5000_1000, false), (0x4000_0000, 0x4000_1000, false),
    ] as [(UInt64, UInt64, Bool)] {
      try driver.setAdminQueues(submission: submission, completion: completion)
      try client.write(Region.bar0, ControllerRegister.configuration, 0x46_0001, 4)
      #expect(try driver.status().rawValue == (isReady ? 1 : 2))
      if isReady { #expect(try driver.identifies()) }
      try driver.disable()
      #expect(try driver.awaitStatus { $0.rawValue == 0 })
    }
  }

  // MARK: Data pointers

  @Test func memoryOfTheGuestsChoosingIsChecked() throws {
    let client = try ServedDevice().connect()
    let driver = try Driver.enabled(client)
    try client.map(0xfffc_0000, 0x4_0000, nil, flags: 1)
    try client.map(0x4000_0000, 0x1000, driver.ram.descriptor, offset: 0x2000, flags: 1)
    try client.map(.max - 0xfff, 0x1000, driver.ram.descriptor, offset: 0x2000)
    let data = driver.address(2)
    for (prp1, prp2, status) in [
      (data, 0, .success), (data + 0x800, data, .success), (data + 4, driver.address(5), .success),
      (.max - 0xfff, 0, .success), (.max - 3, driver.address(5), .success),
      // Unaligned; nowhere; past the end; a ROM; read-only memory; a second page that is one of these.
      (data + 1, 0, .invalidPRPOffset), (data + 2, 0, .invalidPRPOffset), (0x7000_0000, 0, .dataTransferError),
      (0, 0, .dataTransferError), (.max - 0x1fff, 0, .dataTransferError), (0xfffc_0000, 0, .dataTransferError),
      (0x4000_0000, 0, .dataTransferError), (data + 0x800, data + 4, .invalidPRPOffset),
      (data + 0x800, 0, .dataTransferError), (data + 0x800, 0xfffc_0000, .dataTransferError),
      (data + 0x800, 0x4000_0000, .dataTransferError), (.max - 3, .max - 0x1fff, .dataTransferError),
    ] as [(UInt64, UInt64, Status)] {
      #expect(try driver.execute(Driver.identify(prp1: prp1, prp2: prp2)).status == status)
    }
    #expect(try driver.identifies())
  }

  @Test func dataGoesToAndComesFromTheMemoryThatIsMappedNow() throws {
    let driver = try Driver.enabled(try ServedDevice().connect())
    try driver.createQueues(vector: nil)
    let data = Driver.dataPage * 4096
    driver.ram.fill(0x5a, data, 512)
    let address = driver.address(Driver.dataPage)
    #expect(try driver.execute(Driver.transfer(0x01, block: 3, prp1: address), queue: 1).status == .success)
    driver.ram.fill(0, data, 512)
    #expect(try driver.execute(Driver.transfer(0x02, block: 3, prp1: address), queue: 1).status == .success)
    #expect(driver.ram.bytes(data, 512) == [UInt8](repeating: 0x5a, count: 512))
    // A range of its own for the data: gone, elsewhere, and gone again.
    let other = try GuestRAM(pages: 2)
    #expect(
      try driver.execute(Driver.transfer(0x02, block: 3, prp1: 0x8000_0000), queue: 1).status == .dataTransferError)
    for offset in [0, 4096] {
      try driver.client.map(0x8000_0000, page, other.descriptor, offset: UInt64(offset))
      #expect(try driver.execute(Driver.transfer(0x02, block: 3, prp1: 0x8000_0000), queue: 1).status == .success)
      #expect(other.bytes(offset, 512) == [UInt8](repeating: 0x5a, count: 512))
      try driver.client.unmap(0x8000_0000, page)
      #expect(
        try driver.execute(Driver.transfer(0x02, block: 3, prp1: 0x8000_0000), queue: 1).status == .dataTransferError)
    }
  }

  // MARK: Memory that is cut short

  /// What the server touches first after the cut, and on which of its threads.
  enum Touched: CaseIterable {
    case adminQueue, adminData, queue, data
    /// The pages of Doorbell Buffer Config: a tail, an event index before the I/O thread sleeps, and what the control
    /// thread clears for a new queue.
    case shadow, eventIndex, shadowOfANewQueue
  }

  /// Has a driver keep its doorbells at 8000_0000h, as the device has taken to.
  ///
  /// - Parameter isSwapped: whether the event indexes come first.
  private func configureDoorbells(_ driver: Driver, isSwapped: Bool) throws {
    let pages = [0x8000_0000, 0x8000_1000] as [UInt64]
    let configure = SubmissionQueueEntry(
      cdw0: UInt32(AdminOpcode.doorbellBufferConfig.rawValue), namespaceIdentifier: 0,
      dataPointer0: pages[isSwapped ? 1 : 0], dataPointer1: pages[isSwapped ? 0 : 1])
    #expect(try driver.execute(configure).status == .success)
  }

  @Test(arguments: Touched.allCases) func aClientThatCutsItsMemoryFailsItsOwnController(touched: Touched) throws {
    let pool = try startPool()
    defer { pool.stop() }
    var options = try testOptions()
    options.controller.shadowDoorbells = .on
    let device = try ServedDevice(options, pool: pool)
    let other = try ServedDevice(pool: pool)
    let witness = try Driver.enabled(try other.connect())
    try witness.createQueues(vector: nil)
    let driver = try Driver.enabled(try device.connect())
    try driver.createQueues(vector: nil)
    // A range of its own for what is cut, or the whole.
    let extra = try GuestRAM(pages: 2)
    try driver.client.map(0x8000_0000, 0x2000, extra.descriptor)
    switch touched {
    case .adminQueue:
      driver.put(Driver.identify(prp1: driver.address(2)))
      try driver.ram.truncate(0)
      try driver.ring()
    case .adminData:
      driver.put(Driver.identify(prp1: 0x8000_1000))
      try extra.truncate(4096)
      try driver.ring()
    case .queue:
      driver.put(Driver.transfer(0x02, block: 0, prp1: 0x8000_0000), queue: 1)
      try driver.ram.truncate(3 * 4096)
      try driver.ring(1)
    case .data:
      driver.put(Driver.transfer(0x02, block: 0, prp1: 0x8000_0000), queue: 1)
      try extra.truncate(0)
      try driver.ring(1)
    case .shadow:
      try configureDoorbells(driver, isSwapped: true)
      try extra.truncate(4096)
      // The register is a kick for who looks at the tail.
      try driver.ring(1)
    case .eventIndex:
      try configureDoorbells(driver, isSwapped: false)
      driver.put(Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage)), queue: 1)
      extra.store(driver.tail(1), at: 8)
      try extra.truncate(4096)
      try driver.ring(1)
    case .shadowOfANewQueue:
      try configureDoorbells(driver, isSwapped: true)
      try extra.truncate(4096)
      driver.put(
        SubmissionQueueEntry(
          cdw0: UInt32(AdminOpcode.createIOCompletionQueue.rawValue), namespaceIdentifier: 0,
          dataPointer0: driver.address(4), cdw10: (Driver.entries - 1) << 16 | 2, cdw11: 1))
      try driver.ring()
    }
    #expect(try driver.awaitStatus { $0.controllerFatalStatus })
    // It answers registers, and goes its way: the other controller of the same threads goes on all the while.
    #expect(try driver.register(8) == 0x1_0400)
    #expect(try witness.identifies())
    let read = Driver.transfer(0x02, block: 0, prp1: witness.address(Driver.dataPage))
    #expect(try witness.execute(read, queue: 1).status == .success)
    try driver.client.write(Region.bar0, ControllerRegister.configuration, 0, 4)
    #expect(try driver.awaitStatus { $0.rawValue == 0 })
    driver.client.disconnect()
    // The next client of the same device is not affected.
    #expect(try Driver.enabled(try device.connect()).identifies())
    #expect(try witness.identifies())
  }

  @Test func memoryThatWasCutCanBeMappedAnew() throws {
    let driver = try Driver.enabled(try ServedDevice().connect())
    driver.put(Driver.identify(prp1: driver.address(2)))
    try driver.ram.truncate(0)
    try driver.ring()
    #expect(try driver.awaitStatus { $0.controllerFatalStatus })
    try driver.unmap()
    try driver.ram.truncate(Driver.pages * 4096)
    try driver.remap()
    try driver.disable()
    #expect(try driver.awaitStatus { $0.rawValue == 0 })
    try driver.enable()
    #expect(try driver.identifies())
  }
}
