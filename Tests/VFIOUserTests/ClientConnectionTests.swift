import Glibc
import LinuxIO
import Testing

@testable import VFIOUser

/// A server on a thread of its own that answers each request as it is told.
final class ScriptedServer: Sendable {
  /// What to answer, with which descriptors; nil: nothing.
  typealias Answer = @Sendable (Request) throws(Errno) -> (reply: Reply, descriptors: [Int32])?

  private let thread: LinuxIO.Thread
  private let seen: SeenRequests

  /// What arrived, and how many descriptors with it.
  private final class SeenRequests: Sendable {
    let list = Locked<[(request: Request, descriptors: Int, noReply: Bool)]>([])
  }

  init(_ socket: consuming FileDescriptor, _ answer: @escaping Answer) throws {
    let number = socket.release()
    let seen = SeenRequests()
    self.seen = seen
    thread = try LinuxIO.Thread(name: "server") {
      var server = ServerConnection(FileDescriptor(owning: number))
      while true {
        switch server.receive() {
        case .negotiated: continue
        case .closed, .failed: return
        case .wouldBlock:
          var entry = pollfd(fd: number, events: Int16(POLLIN | (server.wantsWrite ? POLLOUT : 0)), revents: 0)
          poll(&entry, 1, 10_000)
          server.flush()
        case .message:
          do throws(Errno) {
            let request = try server.request()
            let noReply = server.header.wantsNoReply
            let descriptors = server.takeDescriptors().count
            seen.list.withLock { $0.append((request, descriptors, noReply)) }
            if let (reply, descriptors) = try answer(request) { server.reply(reply, descriptors: descriptors) }
          } catch {
            server.reply(.error(error))
          }
        }
      }
    }
  }

  /// Waits until the client has closed and the server has ended; what arrived.
  func finish() -> [(request: Request, descriptors: Int, noReply: Bool)] {
    thread.join()
    return seen.list.withLock { $0 }
  }
}

/// Shuts both directions of a socket down, as its process's death would.
func shutdownBoth(_ socket: Int32) -> Bool { shutdown(socket, Int32(SHUT_RDWR)) == 0 }

@Suite struct ClientConnectionTests {
  @Test func everyCallOfTheProtocol() throws {
    let memory = try SharedMemory(name: "test", count: 8192)
    let number = memory.descriptor.rawValue
    let event = try EventFD()
    let eventNumber = event.rawValue
    let pair = try UnixSocketPair()
    let map = DMAMap(flags: .read, fileOffset: 0, address: 0x1000, length: 0x1000)
    let unmap = DMAUnmap(address: 0x1000, length: 0x1000)
    let set = SetIRQs(index: .msix, start: 1, count: 2, action: .trigger, data: .eventFDs(2))
    let writes = [
      RegionWrite(offset: 0x1000, region: .bar0, data: RegionData(1, count: 4)),
      RegionWrite(offset: 0x28, region: .bar0, data: RegionData(2, count: 8)),
    ]
    let probe = DeviceFeature(.migration, [.get, .probe])
    let long = RegionData((0..<4096).map { UInt8(truncatingIfNeeded: $0) })

    let server = try ScriptedServer(pair.first) { (request) throws(Errno) in
      switch request {
      case .dmaMap, .deviceSetIRQs, .deviceReset, .migrationDataWrite: (.done, [])
      case .dmaUnmap(let unmap): (.dmaUnmap(unmap), [])
      case .deviceGetInfo: (.deviceInfo(DeviceInfo()), [])
      case .deviceGetRegionInfo(let query): (.regionInfo(WireVectorTests.barInfo, room: query.room), [number])
      case .deviceGetRegionIOFDs(let query):
        (.regionIOFDs(WireVectorTests.shadows, room: query.room), [eventNumber, number])
      case .deviceGetIRQInfo(let index): (.irqInfo(IRQInfo(index: index, flags: .eventFD, count: 33)), [])
      case .regionRead(let access) where access.count == 4: (.regionRead(access, RegionData(0x1234, count: 4)), [])
      case .regionRead(let access): (.regionRead(access, long), [])
      case .regionWrite(let write): (.regionWrite(write.access), [])
      case .regionWriteMulti(let writes): (.regionWriteMulti(UInt64(writes.count)), [])
      case .deviceFeature(let feature): (.deviceFeature(feature), [])
      case .migrationDataRead: (.migrationData([1, 2, 3]), [])
      }
    }
    do {
      var client = ClientConnection(pair.second)
      let session = try client.negotiate()
      #expect(session == Session(minor: 1, client: .server, server: .server))
      #expect(client.session == session)
      try client.dmaMap(map, descriptor: number)
      try client.dmaMap(map)
      #expect(try client.dmaUnmap(unmap) == unmap)
      #expect(try client.deviceInfo() == DeviceInfo())

      let region = try client.regionInfo(.bar0)
      #expect(region.info == WireVectorTests.barInfo)
      let regionDescriptors = region.descriptors.count
      #expect(regionDescriptors == 1)

      var ioFDs = try client.regionIOFDs(.bar0)
      #expect(ioFDs.fds == WireVectorTests.shadows)
      let ioDescriptors = ioFDs.descriptors.count
      #expect(ioDescriptors == 2)
      if let first = ioFDs.descriptors.take(0) { #expect(EventFD.isEventFD(first.rawValue)) }

      #expect(try client.irqInfo(.msix) == IRQInfo(index: .msix, flags: .eventFD, count: 33))
      try client.setIRQs(set, descriptors: [eventNumber, eventNumber])
      #expect(try client.regionRead(.bar0, offset: 0x1c, count: 4) == RegionData(0x1234, count: 4))
      #expect(try client.regionRead(.config, offset: 0, count: 4096) == long)
      try client.regionWrite(.bar0, offset: 0x1000, RegionData(1, count: 4))
      try client.regionWrite(.bar0, offset: 0x1000, RegionData(2, count: 4), posted: true)
      try client.regionWrite(.config, offset: 0, long)
      try client.regionWriteMulti(writes)
      try client.regionWriteMulti(writes, posted: false)
      try client.deviceReset()
      #expect(try client.deviceFeature(probe) == probe)
      #expect(try client.migrationDataRead(count: 4096) == [1, 2, 3])
      try client.migrationDataWrite([4, 5])
    }
    let seen = server.finish()
    #expect(
      seen.map(\.request) == [
        .dmaMap(map), .dmaMap(map), .dmaUnmap(unmap), .deviceGetInfo,
        .deviceGetRegionInfo(RegionInfoQuery(room: 32, index: .bar0)),
        .deviceGetRegionInfo(RegionInfoQuery(room: 64, index: .bar0)),
        .deviceGetRegionIOFDs(RegionIOFDsQuery(room: 16, index: .bar0)),
        .deviceGetRegionIOFDs(RegionIOFDsQuery(room: 112, index: .bar0)), .deviceGetIRQInfo(.msix), .deviceSetIRQs(set),
        .regionRead(RegionAccess(offset: 0x1c, region: .bar0, count: 4)),
        .regionRead(RegionAccess(offset: 0, region: .config, count: 4096)),
        .regionWrite(RegionWrite(offset: 0x1000, region: .bar0, data: RegionData(1, count: 4))),
        .regionWrite(RegionWrite(offset: 0x1000, region: .bar0, data: RegionData(2, count: 4))),
        .regionWrite(RegionWrite(offset: 0, region: .config, data: long)), .regionWriteMulti(writes),
        .regionWriteMulti(writes), .deviceReset, .deviceFeature(probe), .migrationDataRead(4096),
        .migrationDataWrite([4, 5]),
      ])
    #expect(seen.map(\.descriptors) == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    #expect(seen.indices.filter { seen[$0].noReply } == [13, 15])
    #expect(openDescriptors(ofTheFileBehind: number) == 1)
  }

  @Test func anErrorReplyIsItsErrno() throws {
    let pair = try UnixSocketPair()
    let server = try ScriptedServer(pair.first) { (_) throws(Errno) in throw .fileExists }
    do {
      var client = ClientConnection(pair.second)
      try client.negotiate(minor: 0, json: nil)
      #expect(throws: Errno.fileExists) { try client.deviceReset() }
      #expect(throws: Errno.fileExists) { _ = try client.deviceInfo() }
      // Malformed bytes of a test's own, and the answer to them.
      try client.send(bytes: message(id: 500, 4, [1, 2, 3]))
      let reply = try client.receiveMessage()
      #expect(reply.header.messageID == 500)
      #expect(reply.error == .invalidArgument)
    }
    #expect(server.finish().count == 2)
  }

  @Test func aServerThatDoesNotAnswerTimesOut() throws {
    let pair = try UnixSocketPair()
    let server = pair.first
    var client = ClientConnection(pair.second, timeout: 1)
    #expect(throws: Errno(rawValue: ETIMEDOUT)) { try client.negotiate() }
    // Nor one that does not read.
    let bytes = [UInt8](repeating: 0, count: 4 << 20)
    #expect(throws: Errno(rawValue: ETIMEDOUT)) { try client.send(bytes: bytes) }
    _ = consume server
    #expect(throws: Errno.connectionReset) { try client.deviceReset() }
  }

  @Test func severalCommandsUnderWay() throws {
    let pair = try UnixSocketPair()
    let server = try ScriptedServer(pair.first) { (_) throws(Errno) in (.done, []) }
    do {
      var client = ClientConnection(pair.second)
      try client.negotiate()
      let map = Request.dmaMap(DMAMap(flags: .read, fileOffset: 0, address: 0, length: 4096))
      let first = try client.start(map)
      let second = try client.start(map)
      let third = try client.start(.deviceReset)
      _ = try client.awaitReply(id: first, command: .dmaMap)
      _ = try client.awaitReply(id: second, command: .dmaMap)
      _ = try client.awaitReply(id: third, command: .deviceReset)
    }
    #expect(server.finish().count == 3)
  }

  @Test(arguments: [
    message(id: 1, 13, flags: 1),  // Another id.
    message(id: 0, 4, flags: 1),  // Another command.
    message(id: 0, 13, flags: 0),  // A command.
    message(id: 0, 13, flags: 1, size: 15),
    message(id: 0, 13, flags: 1, size: .max),
  ]) func aReplyThatIsNoneIsAnError(bytes: [UInt8]) throws {
    let pair = try UnixSocketPair()
    var client = ClientConnection(pair.second)
    _ = try UnixSocket.send(pair.first.rawValue, bytes.span, wait: false)
    #expect(throws: Errno.protocolError) { try client.deviceReset() }
  }

  @Test func aReplyThatMakesNoSenseIsAnError() throws {
    func answer<Result>(_ bytes: [UInt8], _ call: (inout ClientConnection) throws -> Result) throws {
      let pair = try UnixSocketPair()
      var client = ClientConnection(pair.second)
      _ = try UnixSocket.send(pair.first.rawValue, bytes.span, wait: false)
      #expect(throws: Errno.protocolError) { _ = try call(&client) }
    }
    try answer(message(id: 0, 1, flags: 1, [1, 0, 0, 0])) { try $0.negotiate() }
    try answer(message(id: 0, 1, flags: 1, [0, 0, 1, 0])) { try $0.negotiate(minor: 0) }
    try answer(message(id: 0, 1, flags: 1, [0, 0, 0, 0, 0x7b, 0])) { try $0.negotiate() }
    try answer(message(id: 0, 4, flags: 1, words(16, 3, 9))) { try $0.deviceInfo() }
    try answer(message(id: 0, 3, flags: 1)) { try $0.dmaUnmap(.all) }
    try answer(message(id: 0, 9, flags: 1, words(0, 0, 0, 4))) { try $0.regionRead(.bar0, offset: 0, count: 4) }
    try answer(message(id: 0, 9, flags: 1, words(8, 0, 0, 4, 1))) { try $0.regionRead(.bar0, offset: 0, count: 4) }
    try answer(message(id: 0, 10, flags: 1, words(0, 0, 0, 2))) {
      try $0.regionWrite(.bar0, offset: 0, RegionData(1, count: 4))
    }
    try answer(message(id: 0, 17, flags: 1, words(11, 3, 0x30201))) { try $0.migrationDataRead(count: 2) }
    // Asked again with the room that it wants, a server that wants more still is refused.
    let info = RegionInfo(index: .bar0)
    var bytes: [UInt8] = []
    for (id, needed) in [(0, 64), (1, 128)] as [(UInt16, UInt32)] {
      var reply = encode(.regionInfo(info, room: 32), id: id, .deviceGetRegionInfo)
      reply.replace(integer: needed, at: 16)
      bytes += reply
    }
    try answer(bytes) { try $0.regionInfo(.bar0).info }
  }

  @Test func connectsByPath() throws {
    var template = Array("/tmp/nvmed-client-XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&template))
    let directory = String(cString: made)
    defer { rmdir(directory) }
    let listener = try UnixListener(path: directory + "/socket")
    var client = try ClientConnection(path: directory + "/socket", timeout: 1)
    try client.send(bytes: VersionMessage(minor: 1, json: nil).message(id: 0))
    if let accepted = try listener.accept() {
      var server = ServerConnection(accepted)
      #expect(server.receive() == .negotiated)
    } else {
      Issue.record("nobody was accepted")
    }
    #expect(try client.receiveMessage().payload.count == 127)
    #expect(throws: Errno.noSuchFile) { _ = try ClientConnection(path: directory + "/missing") }
  }
}
