import LinuxIO
import Testing

@testable import VFIOUser

@Suite struct ServerConnectionTests {
  private let dmaMap = Request.dmaMap(DMAMap(flags: [.read, .write], fileOffset: 0, address: 0, length: 4096))
  private let posted = Request.regionWrite(RegionWrite(offset: 0x1008, region: .bar0, data: RegionData(5, count: 4)))

  @Test func aRequestAndItsReply() throws {
    var wire = try Wire()
    #expect(wire.server.receive() == .wouldBlock)
    wire.send(Request.deviceGetInfo.message(id: 77))
    #expect(wire.server.receive() == .message)
    #expect(wire.server.header.messageID == 77)
    #expect(try wire.server.request() == .deviceGetInfo)
    wire.server.reply(.deviceInfo(DeviceInfo()))
    #expect(wire.receive(100) == encode(.deviceInfo(DeviceInfo()), id: 77, .deviceGetInfo))
    #expect(wire.server.receive() == .wouldBlock)
    #expect(wire.server.isBetweenMessages == true)
  }

  @Test func pipelinedRequestsKeepTheirDescriptors() throws {
    var wire = try Wire()
    let first = try SharedMemory(name: "a", count: 4096)
    let second = try SharedMemory(name: "b", count: 4096)
    let numbers = [first.descriptor.rawValue, second.descriptor.rawValue]
    for number in numbers {
      wire.send(dmaMap.message(id: 1), descriptors: [number])
      wire.send(Request.deviceReset.message(id: 2))
    }
    for number in numbers {
      #expect(wire.server.receive() == .message)
      #expect(try wire.server.request() == dmaMap)
      #expect(openDescriptors(ofTheFileBehind: number) == 2)
      var descriptors = wire.server.takeDescriptors()
      let count = descriptors.count
      #expect(count == 1)
      _ = descriptors.take(0)
      #expect(openDescriptors(ofTheFileBehind: number) == 1)
      #expect(wire.server.receive() == .message)
      #expect(try wire.server.request() == .deviceReset)
      let none = wire.server.takeDescriptors().count
      #expect(none == 0)
    }
  }

  @Test func descriptorsThatNobodyTakesAreClosed() throws {
    let memory = try SharedMemory(name: "test", count: 4096)
    let number = memory.descriptor.rawValue
    do {
      var wire = try Wire()
      // SPDK's host attaches the descriptor of the map to DMA_UNMAP.
      wire.send(
        Request.dmaUnmap(DMAUnmap(address: 0, length: 4096)).message(id: 0), descriptors: [number])
      #expect(wire.server.receive() == .message)
      #expect(try wire.server.request().command == .dmaUnmap)
      #expect(openDescriptors(ofTheFileBehind: number) == 2)
      #expect(wire.server.receive() == .wouldBlock)
      #expect(openDescriptors(ofTheFileBehind: number) == 1)
      wire.send(dmaMap.message(id: 0), descriptors: [number])
      #expect(wire.server.receive() == .message)
      #expect(openDescriptors(ofTheFileBehind: number) == 2)
    }
    #expect(openDescriptors(ofTheFileBehind: number) == 1)
  }

  @Test func aMessageCutAtAnyByteIsPutTogether() throws {
    let memory = try SharedMemory(name: "test", count: 4096)
    let number = memory.descriptor.rawValue
    let set = SetIRQs(index: .msix, start: 0, count: 2, action: .trigger, data: .eventFDs(2))
    let bytes = Request.deviceSetIRQs(set).message(id: 3)
    var wire = try Wire()
    for cut in 1..<bytes.count {
      wire.send(Array(bytes[..<cut]), descriptors: [number, number])
      #expect(wire.server.receive() == .wouldBlock)
      #expect(wire.server.isBetweenMessages == false)
      wire.send(Array(bytes[cut...]))
      #expect(wire.server.receive() == .message)
      #expect(try wire.server.request() == .deviceSetIRQs(set))
      let descriptors = wire.server.takeDescriptors()
      let count = descriptors.count
      #expect(count == 2)
      #expect(openDescriptors(ofTheFileBehind: number) == 3)
    }
    for byte in bytes.dropLast() {
      wire.send([byte])
      #expect(wire.server.receive() == .wouldBlock)
    }
    // Descriptors may come with any byte.
    wire.send([bytes[bytes.count - 1]], descriptors: [number, number])
    #expect(wire.server.receive() == .message)
    #expect(try wire.server.request() == .deviceSetIRQs(set))
    #expect(wire.server.receive() == .wouldBlock)
    #expect(openDescriptors(ofTheFileBehind: number) == 1)
  }

  @Test func aClientThatVanishesAtAnyByte() throws {
    let memory = try SharedMemory(name: "test", count: 4096)
    let number = memory.descriptor.rawValue
    let bytes = dmaMap.message(id: 3)
    for count in 0...bytes.count {
      do {
        let pair = try UnixSocketPair()
        var server = ServerConnection(pair.first, resuming: Session(minor: 0, client: .server, server: .server))
        if count > 0 {
          _ = try UnixSocket.send(
            pair.second.rawValue, bytes.span.extracting(..<count), descriptors: [number], wait: false)
        }
        _ = consume pair.second
        if count == bytes.count { #expect(server.receive() == .message) }
        let expected: ServerConnection.Reception =
          count == 0 || count == bytes.count ? .closed : .failed(.truncatedMessage)
        #expect(server.receive() == expected)
        #expect(server.receive() == expected)
      }
      #expect(openDescriptors(ofTheFileBehind: number) == 1)
    }
  }

  @Test func theLastCommandsOfAClientThatHasGoneAreReceived() throws {
    let pair = try UnixSocketPair()
    var server = ServerConnection(pair.first, resuming: Session(minor: 0, client: .server, server: .server))
    for bytes in [Request.deviceGetInfo.message(id: 1), posted.message(id: 2, noReply: true)] {
      _ = try UnixSocket.send(pair.second.rawValue, bytes.span, wait: false)
    }
    _ = consume pair.second
    #expect(server.receive() == .message)
    server.reply(.deviceInfo(DeviceInfo()))
    #expect(server.wantsWrite == false)
    #expect(server.receive() == .message)
    #expect(try server.request() == posted)
    #expect(server.receive() == .closed)
  }

  @Test func aClientThatLeavesItsRepliesUnreadHasClosed() throws {
    let pair = try UnixSocketPair()
    var server = ServerConnection(pair.first, resuming: Session(minor: 0, client: .server, server: .server))
    _ = try UnixSocket.send(pair.second.rawValue, Request.deviceReset.message(id: 1).span, wait: false)
    #expect(server.receive() == .message)
    server.reply(.done)
    _ = consume pair.second  // The kernel reports ECONNRESET.
    #expect(server.receive() == .closed)
  }

  @Test func framingErrorsEndTheConnection() throws {
    let limit = UInt32(Limits.message)
    #expect(limit == 1_048_576 + 16 + 64)
    for (bytes, error) in [
      (message(4, size: 0), .messageSize(0)), (message(4, size: 15), .messageSize(15)),
      (message(4, size: limit + 1), .messageSize(limit + 1)), (message(4, size: .max), .messageSize(.max)),
      (message(4, flags: 1), .messageKind(.reply)), (message(4, flags: 0x21), .messageKind([.reply, .error])),
      (message(4, flags: 2), .messageKind(.init(rawValue: 2))),
      (message(4, flags: 15), .messageKind(.init(rawValue: 15))),
    ] as [([UInt8], ProtocolError)] {
      var wire = try Wire()
      wire.send(bytes)
      #expect(wire.server.receive() == .failed(error))
      wire.send(Request.deviceReset.message(id: 1))
      #expect(wire.server.receive() == .failed(error))
      wire.server.reply(.done)
      #expect(wire.receive(16).isEmpty)
    }
  }

  @Test func theLargestMessageArrives() throws {
    var wire = try Wire()
    let data = (0..<Limits.dataTransfer).map { UInt8(truncatingIfNeeded: $0 &* 31 &>> 3) }
    let write = Request.regionWrite(RegionWrite(offset: 0, region: .config, data: RegionData(data)))
    let bytes = write.message(id: 1)
    var sent = 0
    while sent < bytes.count {
      sent += try UnixSocket.send(wire.client.rawValue, bytes.span.extracting(sent...), wait: false)
      #expect(wire.server.receive() == (sent < bytes.count ? .wouldBlock : .message))
    }
    #expect(try wire.server.request() == write)
    wire.send(posted.message(id: 2))
    #expect(wire.server.receive() == .message)
    #expect(try wire.server.request() == posted)
  }

  @Test func tooManyDescriptorsEndTheConnection() throws {
    let memory = try SharedMemory(name: "test", count: 4096)
    let number = memory.descriptor.rawValue
    let bytes = Request.deviceSetIRQs(
      SetIRQs(index: .msix, start: 0, count: 64, action: .trigger, data: .eventFDs(64))
    ).message(id: 0)
    do {
      var wire = try Wire()
      wire.send(bytes, descriptors: Array(repeating: number, count: 64))
      #expect(wire.server.receive() == .message)
      #expect(throws: Never.self) { try wire.server.request() }
      wire.send(bytes, descriptors: Array(repeating: number, count: 65))
      #expect(wire.server.receive() == .failed(.descriptorsLost))

      var other = try Wire()
      other.send(Array(bytes[..<20]), descriptors: Array(repeating: number, count: 33))
      other.send(Array(bytes[20...]), descriptors: Array(repeating: number, count: 32))
      #expect(other.server.receive() == .failed(.descriptorsLost))
    }
    #expect(openDescriptors(ofTheFileBehind: number) == 1)
  }

  /// Streams of valid and damaged messages in pieces of any size: the connection goes on or fails, and keeps nothing.
  @Test func damagedStreamsLeaveNothingBehind() throws {
    let memory = try SharedMemory(name: "test", count: 4096)
    let number = memory.descriptor.rawValue
    var random = SplitMix(state: 3)
    var understood = 0
    var failed = 0
    for _ in 0..<300 {
      var stream: [UInt8] = []
      for _ in 0..<20 { stream += WireVectorTests.requests.randomElement(using: &random)?.bytes ?? [] }
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        let index = Int.random(in: 0..<stream.count, using: &random)
        stream[index] = UInt8.random(in: 0...255, using: &random)
      }
      let pair = try UnixSocketPair()
      var server = ServerConnection(pair.first, resuming: Session(minor: 0, client: .server, server: .server))
      var sent = 0
      stream: while sent < stream.count {
        let end = min(stream.count, sent + Int.random(in: 1...100, using: &random))
        let count = Int.random(in: 0...2, using: &random)
        sent += try UnixSocket.send(
          pair.second.rawValue, stream.span.extracting(sent..<end), descriptors: Array(repeating: number, count: count),
          wait: false)
        while true {
          switch server.receive() {
          case .message:
            do throws(Errno) {
              _ = try server.request()
              understood += 1
            } catch {
              server.reply(.error(error))
            }
            continue
          case .wouldBlock: continue stream
          case .failed:
            failed += 1
            break stream
          default: Issue.record("neither a message nor a failure")
          }
        }
      }
    }
    #expect(understood > 1000)
    #expect(failed > 10)
    #expect(openDescriptors(ofTheFileBehind: number) == 1)
  }

  @Test func noReplyMeansNone() throws {
    var wire = try Wire()
    wire.send(Request.deviceGetInfo.message(id: 1, noReply: true))
    wire.send(posted.message(id: 2, noReply: true))
    wire.send(message(id: 3, 99, flags: 0x10))
    #expect(wire.server.receive() == .message)
    wire.server.reply(.deviceInfo(DeviceInfo()))
    #expect(wire.server.receive() == .message)
    wire.server.reply(.regionWrite(RegionAccess(offset: 0x1008, region: .bar0, count: 4)))
    #expect(wire.server.receive() == .message)
    #expect(throws: Errno.notSupported) { try wire.server.request() }
    wire.server.reply(.error(.notSupported))
    #expect(wire.receive(100).isEmpty)
  }

  @Test func reservedFlagsAreIgnored() throws {
    var wire = try Wire()
    wire.send(message(13, flags: 0xffff_ffc0))
    #expect(wire.server.receive() == .message)
    #expect(try wire.server.request() == .deviceReset)
  }

  // MARK: VERSION

  @Test func aCommandBeforeTheVersionEndsTheConnection() throws {
    var wire = try Wire(negotiated: false)
    #expect(wire.server.session == nil)
    wire.send(Request.deviceGetInfo.message(id: 5))
    #expect(wire.server.receive() == .failed(.commandBeforeVersion(4)))
    #expect(wire.receive(100) == hex("05 00 04 00 10 00 00 00 21 00 00 00 16 00 00 00"))
    wire.send(VersionMessage(minor: 0, json: nil).message(id: 6))
    #expect(wire.server.receive() == .failed(.commandBeforeVersion(4)))
  }

  @Test func aRefusedVersionIsAnsweredAndEndsTheConnection() throws {
    let memory = try SharedMemory(name: "test", count: 4096)
    for (bytes, descriptors) in [
      (VersionMessage(major: 1, minor: 0, json: nil).message(id: 5), []),
      (VersionMessage(minor: 0, json: Array("{".utf8)).message(id: 5), []),
      (VersionMessage(minor: 0, json: nil).message(id: 5), [memory.descriptor.rawValue]),
      (message(id: 5, 1), []),
    ] as [([UInt8], [Int32])] {
      var wire = try Wire(negotiated: false)
      wire.send(bytes, descriptors: descriptors)
      #expect(wire.server.receive() == .failed(.versionRefused(.invalidArgument)))
      #expect(wire.receive(100) == hex("05 00 01 00 10 00 00 00 21 00 00 00 16 00 00 00"))
      #expect(wire.server.session == nil)
    }
    #expect(openDescriptors(ofTheFileBehind: memory.descriptor.rawValue) == 1)
  }

  @Test func beforeTheVersionNoLargeMessageIsTaken() throws {
    var wire = try Wire(negotiated: false)
    wire.send(message(1, size: 4113))
    #expect(wire.server.receive() == .failed(.messageSize(4113)))
  }

  @Test func aSecondVersionIsAnErrorAndNoMore() throws {
    var wire = try Wire()
    let session = wire.server.session
    wire.send(VersionMessage(minor: 1, json: nil).message(id: 5))
    #expect(wire.server.receive() == .message)
    #expect(throws: Errno.invalidArgument) { try wire.server.request() }
    wire.server.reply(.error(.invalidArgument))
    #expect(wire.receive(100) == hex("05 00 01 00 10 00 00 00 21 00 00 00 16 00 00 00"))
    #expect(wire.server.session == session)
    wire.send(Request.deviceReset.message(id: 6))
    #expect(wire.server.receive() == .message)
  }

  @Test func aVersionWithoutReply() throws {
    var wire = try Wire(negotiated: false)
    wire.send(message(1, flags: 0x10, [0, 0, 0, 0]))
    #expect(wire.server.receive() == .negotiated)
    #expect(wire.receive(200).isEmpty)
  }

  @Test func writeMultiNeedsBothSides() throws {
    var wire = try Wire(negotiated: false)
    wire.send(VersionMessage(minor: 1, json: nil).message(id: 0))
    #expect(wire.server.receive() == .negotiated)
    wire.send(Request.regionWriteMulti([]).message(id: 1))
    #expect(wire.server.receive() == .message)
    #expect(throws: Errno.notSupported) { try wire.server.request() }

    var qemu = try Wire()
    qemu.send(Request.regionWriteMulti([]).message(id: 1))
    #expect(qemu.server.receive() == .message)
    #expect(try qemu.server.request() == .regionWriteMulti([]))
  }

  @Test func anotherProcessGoesOn() throws {
    var wire = try Wire()
    wire.send(Request.deviceReset.message(id: 1))
    #expect(wire.server.receive() == .message)
    wire.server.reply(.done)
    let agreed = wire.server.session
    let session = try #require(agreed)
    #expect(wire.server.isBetweenMessages == true)
    wire.send(posted.message(id: 2))
    let client = try wire.client.duplicate()
    var successor = ServerConnection(wire.server.release(), resuming: session)
    #expect(successor.receive() == .message)
    #expect(try successor.request() == posted)
    successor.reply(.regionWrite(RegionAccess(offset: 0x1008, region: .bar0, count: 4)))
    #expect(receive(16, from: client.rawValue).count == 16)
  }

  // MARK: What the clients send first

  @Test func qemusFirstMessages() throws {
    var wire = try Wire(negotiated: false)
    let memory = try SharedMemory(name: "ram", count: 4096)
    wire.send(message(id: 0, 1, [0, 0, 0, 0] + Array(qemuJSON.utf8) + [0]))
    #expect(wire.server.receive() == .negotiated)
    #expect(wire.receive(214).count == 143)
    // Memory maps are pipelined; the second one is the BIOS, without a descriptor.
    wire.send(
      message(id: 1, 2, words(32, 3, 0, 0, 0, 0, 0x8000_0000, 0)), descriptors: [memory.descriptor.rawValue])
    wire.send(message(id: 2, 2, words(32, 1, 0, 0, 0xfffc_0000, 0, 0x40000, 0)))
    wire.send(message(id: 3, 4, words(16, 0, 0, 0)))
    wire.send(message(id: 4, 5, words(32, 0, 7, 0, 0, 0, 0, 0)))
    wire.send(message(id: 5, 7, words(16, 0, 3, 0)))
    wire.send(message(id: 6, 9, words(0, 0, 7, 4096)))
    wire.send(message(id: 7, 8, words(20, 0x24, 0, 0, 1)), descriptors: [memory.descriptor.rawValue])
    wire.send(message(id: 8, 8, words(20, 0x21, 0, 0, 0)))
    wire.send(message(id: 9, 13))
    wire.send(message(id: 10, 3, words(24, 0, 0, 0, 0x8000_0000, 0)))
    wire.send(message(id: 11, 8, words(20, 0x24, 2, 0, 1)))
    wire.send(message(id: 12, 8, words(20, 0x11, 0, 0, 1)))
    wire.send(message(id: 13, 10, flags: 0x10, words(0x1000, 0, 0, 4, 1)))
    let expected: [(request: Request, descriptors: Int)] = [
      (.dmaMap(DMAMap(flags: [.read, .write], fileOffset: 0, address: 0, length: 0x8000_0000)), 1),
      (.dmaMap(DMAMap(flags: .read, fileOffset: 0, address: 0xfffc_0000, length: 0x40000)), 0),
      (.deviceGetInfo, 0),
      (.deviceGetRegionInfo(RegionInfoQuery(index: .config)), 0),
      (.deviceGetIRQInfo(.error), 0),
      (.regionRead(RegionAccess(offset: 0, region: .config, count: 4096)), 0),
      (.deviceSetIRQs(SetIRQs(index: .intx, start: 0, count: 1, action: .trigger, data: .eventFDs(1))), 1),
      (.deviceSetIRQs(.disable(.intx)), 0),
      (.deviceReset, 0),
      (.dmaUnmap(DMAUnmap(address: 0, length: 0x8000_0000)), 0),
      (.deviceSetIRQs(SetIRQs(index: .msix, start: 0, count: 1, action: .trigger, data: .eventFDs(0))), 0),
      (.deviceSetIRQs(SetIRQs(index: .intx, start: 0, count: 1, action: .unmask, data: .none)), 0),
      (.regionWrite(RegionWrite(offset: 0x1000, region: .bar0, data: RegionData(1, count: 4))), 0),
    ]
    for (index, (request, count)) in expected.enumerated() {
      #expect(wire.server.receive() == .message)
      #expect(wire.server.header.messageID == UInt16(index + 1))
      #expect(wire.server.header.wantsNoReply == (index == 12))
      #expect(try wire.server.request() == request)
      let descriptors = wire.server.takeDescriptors().count
      #expect(descriptors == count)
    }
    #expect(wire.server.receive() == .wouldBlock)
  }

  @Test func cloudHypervisorsMessages() throws {
    var wire = try Wire(negotiated: false)
    let event = try EventFD()
    let json = "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096}}}"
    wire.send(message(id: 0, 1, [0, 0, 1, 0] + Array(json.utf8) + [0]))
    #expect(wire.server.receive() == .negotiated)
    let reply = wire.receive(200)
    #expect(reply.count == 143)
    #expect(Array(reply[16..<20]) == [0, 0, 1, 0])
    #expect(reply.last == 0)
    wire.send(message(id: 1, 4, words(32, 0, 0, 0)))
    #expect(wire.server.receive() == .message)
    #expect(try wire.server.request() == .deviceGetInfo)
    // Sixteen descriptors, whatever was negotiated.
    wire.send(
      message(id: 2, 8, words(20, 0x24, 2, 16, 16)), descriptors: Array(repeating: event.rawValue, count: 16))
    #expect(wire.server.receive() == .message)
    #expect(
      try wire.server.request()
        == .deviceSetIRQs(SetIRQs(index: .msix, start: 16, count: 16, action: .trigger, data: .eventFDs(16))))
    let count = wire.server.takeDescriptors().count
    #expect(count == 16)
  }

  @Test func spdkHostsMessages() throws {
    var wire = try Wire(negotiated: false)
    let memory = try SharedMemory(name: "hugepage", count: 4096)
    let number = memory.descriptor.rawValue
    // Every message has the id 0.
    wire.send(message(id: 0, 1, [0, 0, 1, 0]))
    #expect(wire.server.receive() == .negotiated)
    #expect(wire.receive(200).count == 143)
    let query = message(id: 0, 5, words(4064, 0, 0, 0, 0, 0, 0, 0) + [UInt8](repeating: 0, count: 4032))
    #expect(query.count == 4080)
    wire.send(query)
    wire.send(message(id: 0, 3, words(24, 0, 0x20_0000, 0x2000, 0x20_0000, 0)), descriptors: [number])
    #expect(wire.server.receive() == .message)
    #expect(try wire.server.request() == .deviceGetRegionInfo(RegionInfoQuery(room: 4064, index: .bar0)))
    wire.server.reply(.regionInfo(WireVectorTests.barInfo, room: 4064), descriptors: [number])
    var buffer = [UInt8](repeating: 0, count: 100)
    var descriptors = ReceivedDescriptors(capacity: 8)
    // It reads 16 bytes and wants the descriptor with them.
    _ = try UnixSocket.receive(
      wire.client.rawValue, into: &buffer, at: 0..<16, descriptors: &descriptors, wait: false)
    let count = descriptors.count
    #expect(count == 1)
    #expect(wire.receive(100).count == 64)
    #expect(wire.server.receive() == .message)
    #expect(try wire.server.request() == .dmaUnmap(DMAUnmap(address: 0x2000_0020_0000, length: 0x20_0000)))
  }
}
