import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer

/// Messages that should not come, and clients that come, go and hang.
@Suite struct ConnectionTests {
  private let information = reply(Number.getInfo, u32(16, 3, 9, 5))
  private let question = command(Number.getInfo, u32(16, 0, 0, 0))

  /// Whether the client is served.
  private func isServed(_ client: Client) -> Bool { (try? client.exchange(question)) == information }

  // MARK: The version

  @Test(arguments: [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 16, 17, 18, 19, 0xffff] as [UInt16])
  func nothingComesBeforeTheVersion(number: UInt16) throws {
    let device = try ServedDevice()
    let client = try device.connectSilently()
    #expect(try client.exchange(command(number, id: 77, u32(16, 0, 0, 0))) == refusal(number, id: 77, EINVAL))
    #expect(client.isAtEnd())
    let silent = try device.connectSilently()
    try silent.send(command(number, flags: noReply, u32(16, 0, 0, 0)))
    #expect(silent.isAtEnd(), "who reads no reply gets none")
    #expect(isServed(try device.connect()))
  }

  @Test(
    arguments: [
      version(serverJSON, major: 1), version(nil, major: 0xffff), [], [0, 0, 0],
      version("{\"capabilities\":{}}").dropLast(),
      version("{\"capabilities\":[]}"), version("no JSON"), version("{\"capabilities\":{\"max_msg_fds\":\"many\"}}"),
      version("{\"capabilities\":{\"max_msg_fds\":1025}}"), version("\0"), version(String(repeating: "[", count: 2000)),
    ].map { Array($0) })
  func aVersionThatCannotBeIsRefused(payload: [UInt8]) throws {
    let device = try ServedDevice()
    let client = try device.connectSilently()
    #expect(try client.exchange(command(Number.version, payload)) == refusal(Number.version, EINVAL))
    #expect(client.isAtEnd())
    #expect(isServed(try device.connect()))
  }

  @Test func descriptorsWithTheVersionAreRefused() throws {
    let device = try ServedDevice()
    let client = try device.connectSilently()
    let ram = try GuestRAM(pages: 1)
    let answer = try client.exchange(command(Number.version, version(qemuJSON)), descriptors: [ram.descriptor])
    #expect(answer == refusal(Number.version, EINVAL))
    #expect(client.isAtEnd())
  }

  @Test(arguments: [(0, 0), (1, 1), (2, 1), (0xffff, 1)] as [(UInt16, UInt16)])
  func theLowerMinorVersionHolds(asked: UInt16, agreed: UInt16) throws {
    let device = try ServedDevice()
    let client = try device.connectSilently()
    let answer = try client.exchange(command(Number.version, version(nil, minor: asked)))
    #expect(answer == reply(Number.version, version(serverJSON, minor: agreed)))
    #expect(isServed(client))
  }

  @Test func aSecondVersionIsRefusedAndNothingElse() throws {
    let client = try ServedDevice().connect()
    #expect(try client.exchange(command(Number.version, version(qemuJSON))) == refusal(Number.version, EINVAL))
    #expect(isServed(client))
  }

  // MARK: Malformed messages

  @Test(arguments: [0, 1, 15, 0x10_0051, 0x7fff_ffff, UInt32.max] as [UInt32])
  func aSizeThatCannotBeEndsTheConnection(size: UInt32) throws {
    let device = try ServedDevice()
    let client = try device.connect()
    try client.send(command(Number.getInfo, size: size, u32(16, 0, 0, 0)))
    #expect(client.isAtEnd())
    #expect(isServed(try device.connect()))
  }

  @Test func aClientThatIsNotKnownYetGetsLittleRoom() throws {
    let device = try ServedDevice()
    let client = try device.connectSilently()
    try client.send(command(Number.version, size: 16 + 4097))
    #expect(client.isAtEnd())
  }

  @Test(arguments: [1, 2, 15] as [UInt32]) func whatIsNoCommandEndsTheConnection(type: UInt32) throws {
    let device = try ServedDevice()
    let client = try device.connect()
    try client.send(command(Number.getInfo, flags: type, u32(16, 0, 0, 0)))
    #expect(client.isAtEnd())
    #expect(isServed(try device.connect()))
  }

  @Test(
    arguments: [
      // No commands of the client's: unknown, dropped from the specification, of the other direction.
      (0, EOPNOTSUPP), (14, EOPNOTSUPP), (19, EOPNOTSUPP), (0x100, EOPNOTSUPP), (0xffff, EOPNOTSUPP), (11, EINVAL),
      (12, EINVAL),
      // Not offered.
      (17, EOPNOTSUPP), (18, EOPNOTSUPP),
    ] as [(UInt16, Int32)])
  func commandsThatAreNoneAreRefused(number: UInt16, error: Int32) throws {
    let client = try ServedDevice().connect()
    #expect(try client.exchange(command(number, id: 9, u32(8, 0))) == refusal(number, id: 9, error))
    #expect(isServed(client))
  }

  @Test(arguments: [
    (Number.dmaMap, 32), (Number.dmaUnmap, 24), (Number.getInfo, 16), (Number.getRegionInfo, 32),
    (Number.getRegionIOFDs, 16), (Number.getIRQInfo, 16), (Number.setIRQs, 20), (Number.regionRead, 16),
    (Number.regionWrite, 16), (Number.writeMulti, 8), (Number.feature, 8),
  ])
  func payloadsThatAreTooShortAreRefused(number: UInt16, size: Int) throws {
    let client = try ServedDevice().connect()
    let ram = try GuestRAM(pages: 1)
    for length in 0..<size {
      // Numbers of the kind that argsz is, so that only the length is wrong.
      let payload = Array((u32(UInt32(size)) + [UInt8](repeating: 0, count: size)).prefix(length))
      let descriptors = number == Number.dmaMap ? [ram.descriptor] : []
      #expect(try client.exchange(command(number, payload), descriptors: descriptors) == refusal(number, EINVAL))
    }
    #expect(try client.exchange(command(Number.reset, [0])) == refusal(Number.reset, EINVAL))
    #expect(isServed(client))
  }

  // MARK: The stream

  @Test func messagesMayComeInPieces() throws {
    let client = try ServedDevice().connect()
    for byte in command(Number.regionRead, access(Region.bar0, 8, 4)) { try client.send([byte]) }
    #expect(try client.receive() == reply(Number.regionRead, access(Region.bar0, 8, 4) + u32(0x1_0400)))
    // Header and payload apart, as many implementations send them.
    try client.send(Array(question.prefix(16)))
    try client.send(Array(question.dropFirst(16)))
    #expect(try client.receive() == information)
  }

  @Test func messagesMayComeTogether() throws {
    let client = try ServedDevice().connect()
    // More than are received before other events have their turn.
    let count = 300
    try client.send((0..<count).flatMap { command(Number.getInfo, id: UInt16($0), u32(16, 0, 0, 0)) })
    for index in 0..<count {
      #expect(try client.receive() == reply(Number.getInfo, id: UInt16(index), u32(16, 3, 9, 5)))
    }
  }

  @Test func whoWantsNoReplyGetsNone() throws {
    let client = try ServedDevice().connect()
    try client.send(command(Number.getInfo, id: 1, flags: noReply, u32(16, 0, 0, 0)))
    try client.send(command(0x55, id: 2, flags: noReply))
    try client.send(command(Number.reset, id: 3, flags: noReply))
    try client.send(command(Number.dmaMap, id: 4, flags: noReply, dmaMap(1, 1)))
    #expect(try client.exchange(command(Number.getInfo, id: 5, u32(16, 0, 0, 0))).prefix(2) == [5, 0])
  }

  @Test func identifiersAreTheClientsBusiness() throws {
    let client = try ServedDevice().connect()
    for id in [0, 0, 0xffff, 7, 7] as [UInt16] {
      let answer = try client.exchange(command(Number.getInfo, id: id, u32(16, 0, 0, 0)))
      #expect(answer == reply(Number.getInfo, id: id, u32(16, 3, 9, 5)))
    }
  }

  // MARK: One client after the other

  @Test func aSecondClientIsRefusedAndTheFirstGoesOn() throws {
    let device = try ServedDevice()
    let first = try device.connect()
    let driver = try Driver.enabled(first)
    for _ in 0..<3 {
      let second = try device.connectSilently()
      #expect(second.isAtEnd())
      #expect(try driver.identifies())
    }
    first.disconnect()
    #expect(isServed(try device.connect()))
  }

  @Test func theNextClientFindsTheDeviceAsAfterPowerOn() throws {
    let device = try ServedDevice()
    let first = try device.connect()
    let space = try first.readBytes(Region.config, 0, 4096)
    let registers = try first.readBytes(Region.bar0, 0, 4096)
    let table = try first.readBytes(Region.bar4, 0, 8192)
    let driver = try Driver.enabled(first)
    let vector = try Interrupt()
    try first.installVectors(0, [vector.rawValue])
    try first.write(Region.config, 0x10, 0xfebd_0000, 4)
    try first.write(Region.config, 0x52, 0x8000, 2)
    try first.write(Region.config, 0x68, 0x5000, 2)
    try first.write(Region.bar4, 0, 0xfee0_0000, 8)
    try first.write(Region.bar0, 0x0c, 1, 4)
    try driver.createQueues(vector: 0)
    #expect(try driver.identifies())
    #expect(try first.readBytes(Region.config, 0, 4096) != space)
    #expect(vector.take() > 0)
    first.disconnect()

    let second = try device.connect()
    #expect(try second.readBytes(Region.config, 0, 4096) == space)
    #expect(try second.readBytes(Region.bar0, 0, 4096) == registers)
    #expect(try second.readBytes(Region.bar4, 0, 8192) == table)
    // No memory of the first is there: what it mapped can be mapped, and an admin queue in it fails the controller.
    try second.setBusMaster(true)
    try second.write(Region.bar0, ControllerRegister.adminQueueAttributes, 0x000f_000f, 4)
    try second.write(Region.bar0, ControllerRegister.adminSubmissionQueueBase, driver.address(0), 8)
    try second.write(Region.bar0, ControllerRegister.adminCompletionQueueBase, driver.address(1), 8)
    try second.write(Region.bar0, ControllerRegister.configuration, 0x46_0001, 4)
    #expect(try second.read(Region.bar0, ControllerRegister.status, 4) == 2)
    try second.write(Region.bar0, ControllerRegister.configuration, 0, 4)
    let own = try Driver(second)
    #expect(try own.awaitStatus { $0.rawValue == 0 })
    try own.enable()
    #expect(try own.identifies())
    #expect(vector.take() == 0, "the first client's eventfd is not signalled for the second")
  }

  /// The end of a client takes as long as its commands in flight. Who connects meanwhile waits, and is not refused.
  @Test func theNextClientMayConnectAtOnce() throws {
    let device = try ServedDevice(threads: 2)
    for _ in 0..<100 {
      let client = try device.connect()
      // Messages that are not read yet when the connection is found closed.
      for _ in 0..<10 { try client.post(0x1000, 0) }
      #expect(isServed(client))
      for _ in 0..<100 { try client.post(0x1000, 0) }
      client.disconnect()
    }
  }

  @Test func aServerOfOneConnectionEndsWithIt() throws {
    let pair = try UnixSocketPair()
    let device = try ServedDevice(serving: pair.first)
    let client = Client(pair.second)
    #expect(try client.negotiate() == reply(Number.version, version(serverJSON)))
    #expect(try Driver.enabled(client).identifies())
    #expect(device.ended.drain() == 0)
    client.disconnect()
    #expect(device.ended.wait(timeout: patience) == true)
  }

  @Test func aServerOfOneConnectionEndsWithAProtocolError() throws {
    let pair = try UnixSocketPair()
    let device = try ServedDevice(serving: pair.first)
    let client = Client(pair.second)
    try client.send(command(Number.version, size: 3))
    #expect(client.isAtEnd())
    #expect(device.ended.wait(timeout: patience) == true)
  }

  // MARK: Clients that hang

  @Test func aClientThatNeverReadsIsSentAwayAndHarmsNobody() throws {
    let pool = try startPool()
    defer { pool.stop() }
    let device = try ServedDevice(pool: pool)
    let other = try ServedDevice(pool: pool)
    let driver = try Driver.enabled(try other.connect())
    let client = try device.connect()
    // Each reply is 4,128 bytes; sixteen MiB of them fit into no buffer.
    let read = command(Number.regionRead, access(Region.config, 0, 4096))
    var failed: Errno?
    do {
      for _ in 0..<4096 { try client.send(read) }
    } catch let error as Errno {
      failed = error
    }
    #expect(failed == .connectionReset)
    #expect(try driver.identifies())
    #expect(isServed(try device.connect()))
  }

  @Test func aClientThatReadsLateGetsEveryReply() throws {
    let client = try ServedDevice().connect()
    // Two MiB of replies: more than a socket holds, less than the server keeps.
    let count = 512
    let bytes = (0..<count).flatMap { command(Number.regionRead, id: UInt16($0), access(Region.config, 0, 4096)) }
    try client.send(bytes)
    let first = try client.receive()
    #expect(first.count == 16 + 16 + 4096)
    for index in 1..<count {
      let answer = try client.receive()
      #expect(answer.prefix(4) == u16(UInt16(index), Number.regionRead)[...])
      #expect(answer.dropFirst(4) == first.dropFirst(4))
    }
  }

  @Test func aMessageThatNeverEndsHoldsUpNobodyElse() throws {
    let pool = try startPool()
    defer { pool.stop() }
    let device = try ServedDevice(pool: pool)
    let other = try ServedDevice(pool: pool)
    let slow = try device.connect()
    try slow.send(Array(command(Number.regionWrite, size: 1 << 20, access(Region.bar0, 0x14, 4)).prefix(20)))
    let driver = try Driver.enabled(try other.connect())
    #expect(try driver.identifies())
    slow.disconnect()
    #expect(isServed(try device.connect()))
  }
}
