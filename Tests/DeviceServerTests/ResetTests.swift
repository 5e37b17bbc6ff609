import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer

/// DEVICE_RESET, function level reset, CC.EN, power states and Bus Master: what stops the device, and what stays.
@Suite struct ResetTests {
  /// What resets the function and not only the controller.
  enum FunctionReset: CaseIterable {
    case deviceReset, functionLevelReset

    func perform(_ client: Client) throws {
      switch self {
      case .deviceReset: try client.reset()
      // Device Control, bit 15; the other bits as they are after a reset.
      case .functionLevelReset: try client.write(Region.config, 0x68, 0xa810, 2)
      }
    }
  }

  @Test(arguments: FunctionReset.allCases) func everythingIsAsAfterPowerOnWhenItIsAnswered(kind: FunctionReset) throws {
    let client = try ServedDevice().connect()
    let space = try client.readBytes(Region.config, 0, 4096)
    let registers = try client.readBytes(Region.bar0, 0, 4096)
    let driver = try Driver.enabled(client)
    try driver.createQueues(vector: 0)
    #expect(try driver.identifies())
    try client.write(Region.config, 0x10, 0xfebd_0000, 4)
    try client.write(Region.config, 0x3c, 11, 1)
    try client.write(Region.config, 0x52, 0x8000, 2)
    try client.write(Region.bar0, 0x0c, 1, 4)
    try kind.perform(client)
    #expect(try client.readBytes(Region.bar0, 0, 4096) == registers)
    #expect(try client.readBytes(Region.config, 0, 4096) == space)
    // Bus Master is off again: the controller may be enabled and does nothing.
    try driver.enable()
    driver.put(Driver.identify(prp1: driver.address(2)))
    try driver.ring()
    #expect(try driver.status().rawValue == 1)
    #expect(driver.completion() == nil)
    // Memory is the client's: it stays mapped.
    try client.setBusMaster(true)
    #expect(try driver.awaitCompletion().status == .success)
    #expect(try driver.ram.mappings() == 1)
    // The I/O queues are gone and can be made again.
    driver.put(Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage)), queue: 1)
    try driver.createQueues(vector: nil)
    let read = Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage))
    #expect(try driver.execute(read, queue: 1).status == .success)
  }

  @Test func aFunctionLevelResetKeepsWhatTheSpecificationSays() throws {
    let client = try ServedDevice().connect()
    // Max_Payload_Size, Link Control, Target Link Speed; and Read Completion Boundary of another register, which goes.
    try client.write(Region.config, 0x68, 0x28b0, 2)
    try client.write(Region.config, 0x70, 0x48, 2)
    try client.write(Region.config, 0x90, 2, 2)
    try client.write(Region.config, 0x88, 0x10, 2)
    try client.write(Region.config, 0x68, 0xa8b0, 2)
    #expect(try client.read(Region.config, 0x68, 2) == 0x28b0)
    #expect(try client.read(Region.config, 0x70, 2) == 0x48)
    #expect(try client.read(Region.config, 0x90, 2) == 2)
    #expect(try client.read(Region.config, 0x88, 2) == 0)
    try client.reset()
    #expect(try client.read(Region.config, 0x68, 2) == 0x2810)
    #expect(try client.read(Region.config, 0x70, 2) == 0)
    #expect(try client.read(Region.config, 0x90, 2) == 3)
  }

  @Test(arguments: FunctionReset.allCases) func aResetAfterTheOtherIsNoProblem(kind: FunctionReset) throws {
    let client = try ServedDevice(threads: 2).connect()
    let driver = try Driver(client)
    for round in 0..<100 {
      try client.setBusMaster(true)
      try driver.setAdminQueues()
      try client.post(0x14, 0x46_0001)
      driver.put(Driver.identify(prp1: driver.address(2)))
      try client.post(0x1000, 1)
      try kind.perform(client)
      #expect(try driver.status().rawValue == 0, "round \(round)")
    }
    try client.setBusMaster(true)
    try driver.enable()
    #expect(try driver.identifies())
  }

  @Test func resetsMayBeSentWithoutWaiting() throws {
    let client = try ServedDevice().connect()
    _ = try Driver.enabled(client)
    for index in 0..<20 as Range<UInt16> {
      try client.send(command(Number.reset, id: index))
      try client.send(command(Number.getInfo, id: index, u32(16, 0, 0, 0)))
    }
    for index in 0..<20 as Range<UInt16> {
      #expect(try client.receive() == reply(Number.reset, id: index))
      #expect(try client.receive() == reply(Number.getInfo, id: index, u32(16, 3, 9, 5)))
    }
  }

  @Test func enablingAndDisablingInAStormEndsAsTheLastWriteSays() throws {
    let client = try ServedDevice(threads: 2).connect()
    let driver = try Driver.enabled(client)
    for _ in 0..<200 {
      try client.post(0x14, 0x46_0000)
      try client.post(0x14, 0x46_0001)
    }
    // Enabled again before RDY was seen to be 0: the controller comes up again by itself.
    try client.post(0x14, 0x46_0000)
    #expect(try driver.awaitStatus { $0.rawValue == 0 })
    try driver.enable()
    #expect(try driver.identifies())
    try client.post(0x14, 0x46_0000)
    try client.post(0x14, 0x46_0001)
    #expect(try driver.awaitStatus { $0.rawValue == 1 })
  }

  @Test func settingsThatAreNotSupportedFailTheController() throws {
    let client = try ServedDevice().connect()
    try client.setBusMaster(true)
    let driver = try Driver(client)
    // A page size of 8 KiB, another command set, weighted arbitration.
    for configuration in [0x46_0081, 0x46_0061, 0x46_0071, 0x46_0801] as [UInt64] {
      try driver.setAdminQueues()
      try client.write(Region.bar0, 0x14, configuration, 4)
      #expect(try driver.status().rawValue == 2)
      try driver.disable()
      #expect(try driver.awaitStatus { $0.rawValue == 0 })
    }
    // Queues of one entry.
    for sizes in [0x000f_0000, 0x0000_000f] as [UInt64] {
      try driver.setAdminQueues()
      try client.write(Region.bar0, 0x24, sizes, 4)
      try client.write(Region.bar0, 0x14, 0x46_0001, 4)
      #expect(try driver.status().rawValue == 2)
      try driver.disable()
      #expect(try driver.awaitStatus { $0.rawValue == 0 })
    }
    try driver.enable()
    #expect(try driver.identifies())
  }

  // MARK: Bus Master and power

  @Test(arguments: [0, 1]) func withoutBusMasterCommandsWait(queue: Int) throws {
    let driver = try Driver.enabled(try ServedDevice().connect())
    try driver.createQueues(vector: nil)
    let command =
      queue == 0
      ? Driver.identify(prp1: driver.address(2))
      : Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage))
    for _ in 0..<3 {
      try driver.client.setBusMaster(false)
      driver.put(command, queue: queue)
      try driver.ring(queue)
      // Round trips through the control thread, and through the I/O thread by way of an unmap.
      for _ in 0..<3 { try driver.client.unmap(0x7000_0000, 0x1000) }
      #expect(try driver.status().rawValue == 1)
      #expect(driver.completion(queue) == nil)
      try driver.client.setBusMaster(true)
      #expect(try driver.awaitCompletion(queue).status == .success)
    }
  }

  @Test(arguments: [0, 1]) func aSleepingFunctionKeepsItsStateAndDoesNothing(queue: Int) throws {
    let driver = try Driver.enabled(try ServedDevice().connect())
    try driver.createQueues(vector: nil)
    let command =
      queue == 0
      ? Driver.identify(prp1: driver.address(2))
      : Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage))
    // D3hot and back: No_Soft_Reset. D1 and D2 are not offered, and not entered.
    for (state, entered) in [(3, 3), (1, 0), (2, 0)] as [(UInt64, UInt64)] {
      try driver.client.write(Region.config, 0x44, state, 2)
      #expect(try driver.client.read(Region.config, 0x44, 2) == entered | 8)
      driver.put(command, queue: queue)
      try driver.ring(queue)
      if entered == 3 {
        #expect(try driver.status().rawValue == 1)
        #expect(driver.completion(queue) == nil)
      }
      try driver.client.write(Region.config, 0x44, 0, 2)
      #expect(try driver.awaitCompletion(queue).status == .success)
    }
    // Asleep and without Bus Master: both have to end.
    try driver.client.setBusMaster(false)
    try driver.client.write(Region.config, 0x44, 3, 2)
    driver.put(command, queue: queue)
    try driver.ring(queue)
    try driver.client.setBusMaster(true)
    #expect(try driver.status().rawValue == 1)
    #expect(driver.completion(queue) == nil)
    try driver.client.write(Region.config, 0x44, 0, 2)
    #expect(try driver.awaitCompletion(queue).status == .success)
  }

  @Test(arguments: [0x4000, 0x8000] as [UInt64]) func aShutdownEndsAndCanBeLeftByAReset(notification: UInt64) throws {
    let driver = try Driver.enabled(try ServedDevice().connect())
    try driver.createQueues(vector: nil)
    try driver.client.write(Region.bar0, 0x14, 0x46_0001 | notification, 4)
    #expect(try driver.awaitStatus { $0.shutdownStatus == .complete })
    // No command is processed any more.
    driver.put(Driver.identify(prp1: driver.address(2)))
    try driver.ring()
    #expect(try driver.status().rawValue == 9)
    #expect(driver.completion() == nil)
    try driver.disable()
    #expect(try driver.awaitStatus { $0.rawValue == 0 })
    try driver.enable()
    #expect(try driver.identifies())
  }
}
