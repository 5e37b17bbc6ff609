import Glibc
import LinuxIO
import Testing

@testable import Control

@Suite struct LineReceiverTests {
  private func send(_ socket: Int32, _ text: String, descriptors: [Int32] = []) throws {
    let bytes = Array(text.utf8)
    #expect(try UnixSocket.send(socket, bytes.span, descriptors: descriptors, wait: true) == bytes.count)
  }

  /// All lines, and how many descriptors came with each.
  private func lines(_ receiver: inout LineReceiver) -> [String] {
    var lines: [String] = []
    while let line = receiver.next() {
      let count = line.descriptors.count
      lines.append(String(decoding: line.bytes, as: UTF8.self) + (count > 0 ? " +\(count)" : ""))
    }
    return lines
  }

  @Test func cutsAtNewlines() throws {
    let pair = try UnixSocketPair()
    var receiver = LineReceiver()
    #expect(receiver.receive(from: pair.second.rawValue) == .wouldBlock)
    try send(pair.first.rawValue, "a\n\nbc\nd")
    #expect(receiver.receive(from: pair.second.rawValue) == .received)
    #expect(lines(&receiver) == ["a", "", "bc"])
    try send(pair.first.rawValue, "e\n")
    #expect(receiver.receive(from: pair.second.rawValue) == .received)
    #expect(lines(&receiver) == ["de"])
    shutdown(pair.first.rawValue, Int32(SHUT_WR))
    #expect(receiver.receive(from: pair.second.rawValue) == .closed)
  }

  @Test func takesWhatComesByteByByte() throws {
    let pair = try UnixSocketPair()
    var receiver = LineReceiver()
    for character in "abc" {
      try send(pair.first.rawValue, String(character))
      #expect(receiver.receive(from: pair.second.rawValue) == .received)
      #expect(lines(&receiver).isEmpty)
    }
    try send(pair.first.rawValue, "\n")
    #expect(receiver.receive(from: pair.second.rawValue) == .received)
    #expect(lines(&receiver) == ["abc"])
  }

  @Test func boundsALine() throws {
    let pair = try UnixSocketPair()
    var receiver = LineReceiver()
    let chunk = String(repeating: "x", count: 32 << 10)
    var progress = LineReceiver.Progress.received
    var sent = 0
    while progress == .received, sent < 4 << 20 {
      try send(pair.first.rawValue, chunk)
      sent += chunk.utf8.count
      progress = receiver.receive(from: pair.second.rawValue)
      #expect(lines(&receiver).isEmpty)
    }
    guard case .failed(let error) = progress else {
      Issue.record("\(progress)")
      return
    }
    #expect(error.code == .tooLarge)
    #expect(sent <= 2 << 20)
  }

  @Test func boundsALineAsItIsTold() throws {
    let pair = try UnixSocketPair()
    var receiver = LineReceiver(limit: 8)
    try send(pair.first.rawValue, "12345678")
    #expect(receiver.receive(from: pair.second.rawValue) == .received)
    try send(pair.first.rawValue, "9")
    #expect(receiver.receive(from: pair.second.rawValue) == .received)
    #expect(lines(&receiver).isEmpty)
    guard case .failed(let error) = receiver.receive(from: pair.second.rawValue) else {
      Issue.record("a line may have more bytes")
      return
    }
    #expect(error.message == "a message has at most 8 bytes")
  }

  @Test func takesALineOfTheLargestSize() throws {
    let pair = try UnixSocketPair()
    var receiver = LineReceiver()
    let chunk = String(repeating: "x", count: 32 << 10)
    for _ in 0..<32 {
      try send(pair.first.rawValue, chunk)
      #expect(receiver.receive(from: pair.second.rawValue) == .received)
      #expect(lines(&receiver).isEmpty)
    }
    try send(pair.first.rawValue, "\n")
    #expect(receiver.receive(from: pair.second.rawValue) == .received)
    #expect(lines(&receiver).map(\.utf8.count) == [1 << 20])
  }

  // MARK: Descriptors

  @Test func givesDescriptorsToTheLineTheyCameWith() throws {
    let pair = try UnixSocketPair()
    var receiver = LineReceiver()
    let null = try FileDescriptor(path: "/dev/null", flags: O_RDWR)
    try send(pair.first.rawValue, "a\n")
    try send(pair.first.rawValue, "b\n", descriptors: [null.rawValue, null.rawValue])
    try send(pair.first.rawValue, "c\n")
    var all: [String] = []
    while receiver.receive(from: pair.second.rawValue) == .received { all += lines(&receiver) }
    #expect(all == ["a", "b +2", "c"])
  }

  @Test func givesDescriptorsToALineThatComesInPieces() throws {
    let pair = try UnixSocketPair()
    var receiver = LineReceiver()
    let null = try FileDescriptor(path: "/dev/null", flags: O_RDWR)
    try send(pair.first.rawValue, "a\nb", descriptors: [null.rawValue])
    #expect(receiver.receive(from: pair.second.rawValue) == .received)
    #expect(lines(&receiver) == ["a"])
    try send(pair.first.rawValue, "c")
    #expect(receiver.receive(from: pair.second.rawValue) == .received)
    try send(pair.first.rawValue, "d", descriptors: [null.rawValue])
    #expect(receiver.receive(from: pair.second.rawValue) == .received)
    try send(pair.first.rawValue, "\ne\n")
    #expect(receiver.receive(from: pair.second.rawValue) == .received)
    #expect(lines(&receiver) == ["bcd +2", "e"])
  }

  @Test func refusesDescriptorsOfTwoLinesAtATime() throws {
    let pair = try UnixSocketPair()
    var receiver = LineReceiver()
    let null = try FileDescriptor(path: "/dev/null", flags: O_RDWR)
    try send(pair.first.rawValue, "a", descriptors: [null.rawValue])
    #expect(receiver.receive(from: pair.second.rawValue) == .received)
    #expect(lines(&receiver).isEmpty)
    try send(pair.first.rawValue, "\nb", descriptors: [null.rawValue])
    guard case .failed(let error) = receiver.receive(from: pair.second.rawValue) else {
      Issue.record("two lines have descriptors")
      return
    }
    #expect(error.code == .invalidRequest)
  }

  @Test func refusesMoreDescriptorsThanARequestCanUse() throws {
    let pair = try UnixSocketPair()
    var receiver = LineReceiver()
    let null = try FileDescriptor(path: "/dev/null", flags: O_RDWR)
    let many = [Int32](repeating: null.rawValue, count: LineReceiver.descriptorLimit + 2)
    try send(pair.first.rawValue, "a\n", descriptors: many)
    guard case .failed(let error) = receiver.receive(from: pair.second.rawValue) else {
      Issue.record("\(many.count) descriptors were taken")
      return
    }
    #expect(error.code == .invalidRequest)
  }
}
