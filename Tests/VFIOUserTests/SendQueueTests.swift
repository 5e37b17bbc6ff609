import LinuxIO
import Testing

@testable import VFIOUser

/// A client that does not read its replies.
@Suite struct SendQueueTests {
  private let megabyte = RegionAccess(offset: 0, region: .config, count: UInt32(Limits.dataTransfer))
  private let full = RegionData([UInt8](repeating: 0x5a, count: Limits.dataTransfer))

  /// Answers a REGION_READ of 1 MiB.
  private func answerMegabyte(_ wire: inout Wire) throws {
    wire.send(Request.regionRead(megabyte).message(id: 1))
    try #require(wire.server.receive() == .message)
    wire.server.reply(.regionRead(megabyte, full))
  }

  private func answerRegionInfo(_ wire: inout Wire, id: UInt16, descriptors: [Int32]) {
    wire.send(Request.deviceGetRegionInfo(RegionInfoQuery(room: 64, index: .bar0)).message(id: id))
    #expect(wire.server.receive() == .message)
    wire.server.reply(.regionInfo(WireVectorTests.barInfo, room: 64), descriptors: descriptors)
  }

  @Test func repliesWaitUpToABound() throws {
    var wire = try Wire()
    // Up to 4 MiB wait, besides what is in the socket.
    for _ in 0..<4 { try answerMegabyte(&wire) }
    #expect(wire.server.wantsWrite == true)
    #expect(wire.server.isBetweenMessages == false)
    #expect(wire.server.receive() == .wouldBlock)
    wire.send(Request.regionRead(megabyte).message(id: 1))
    #expect(wire.server.receive() == .message)
    wire.server.reply(.regionRead(megabyte, full))
    #expect(wire.server.receive() == .failed(.sendQueueFull))
    wire.server.flush()
    #expect(wire.server.receive() == .failed(.sendQueueFull))
  }

  @Test func waitingRepliesArriveInOrderWithTheirDescriptors() throws {
    let memory = try SharedMemory(name: "test", count: 4096)
    let number = memory.descriptor.rawValue
    var wire = try Wire()
    try answerMegabyte(&wire)
    answerRegionInfo(&wire, id: 2, descriptors: [])
    answerRegionInfo(&wire, id: 3, descriptors: [number])
    answerRegionInfo(&wire, id: 4, descriptors: [])
    answerRegionInfo(&wire, id: 5, descriptors: [number, number])
    answerRegionInfo(&wire, id: 6, descriptors: [number])
    try answerMegabyte(&wire)
    // The queue has duplicates: what the caller closes meanwhile does not matter.
    #expect(openDescriptors(ofTheFileBehind: number) == 5)

    var receiver = MessageReceiver(kind: .reply, sizeLimit: Limits.message)
    var seen: [(id: UInt16, descriptors: Int)] = []
    while seen.count < 7 {
      switch receiver.receive(from: wire.client.rawValue) {
      case .message: seen.append((receiver.header.messageID, receiver.descriptorCount))
      case .wouldBlock:
        try #require(wire.server.wantsWrite == true)
        wire.server.flush()
      default: Issue.record("the stream broke")
      }
    }
    #expect(seen.map(\.id) == [1, 2, 3, 4, 5, 6, 1])
    #expect(seen.map(\.descriptors) == [0, 0, 1, 0, 2, 1, 0])
    #expect(wire.server.wantsWrite == false)
    #expect(wire.server.receive() == .wouldBlock)
    _ = receiver.receive(from: wire.client.rawValue)
    #expect(openDescriptors(ofTheFileBehind: number) == 1)
  }

  @Test func waitingDescriptorsAreBoundedAndClosed() throws {
    let memory = try SharedMemory(name: "test", count: 4096)
    let number = memory.descriptor.rawValue
    do {
      var wire = try Wire()
      try answerMegabyte(&wire)
      for _ in 0..<16 { answerRegionInfo(&wire, id: 2, descriptors: Array(repeating: number, count: 16)) }
      #expect(wire.server.receive() == .wouldBlock)
      #expect(openDescriptors(ofTheFileBehind: number) == 257)
      answerRegionInfo(&wire, id: 3, descriptors: [number])
      #expect(wire.server.receive() == .failed(.sendQueueFull))
    }
    #expect(openDescriptors(ofTheFileBehind: number) == 1)
  }

  @Test func aReplyWithoutRoomTakesNoDescriptor() throws {
    let memory = try SharedMemory(name: "test", count: 4096)
    var wire = try Wire()
    wire.send(Request.deviceGetRegionInfo(RegionInfoQuery(index: .bar0)).message(id: 1))
    #expect(wire.server.receive() == .message)
    wire.server.reply(
      .regionInfo(WireVectorTests.barInfo, room: 32), descriptors: [memory.descriptor.rawValue])
    var buffer = [UInt8](repeating: 0, count: 100)
    var descriptors = ReceivedDescriptors(capacity: 1)
    let receipt = try UnixSocket.receive(
      wire.client.rawValue, into: &buffer, at: 0..<100, descriptors: &descriptors, wait: false)
    #expect(receipt.count == 48 && !receipt.descriptorsLost)
    let isEmpty = descriptors.isEmpty
    #expect(isEmpty)
  }

  @Test func whatWaitsForAClientThatHasGoneIsDropped() throws {
    var wire = try Wire()
    try answerMegabyte(&wire)
    #expect(wire.server.wantsWrite == true)
    let client = wire.client.rawValue
    #expect(shutdownBoth(client))
    wire.server.flush()
    #expect(wire.server.wantsWrite == false)
    #expect(wire.server.receive() == .closed)
  }
}
