import Glibc
import LinuxIO
import Testing

@testable import Control

/// A server and clients of every sort.
@Suite struct ControlServerTests {
  private func result(_ value: String, id: Int = 1) -> String { #"{"jsonrpc":"2.0","id":\#(id),"result":\#(value)}"# }

  @Test func answersRequestAfterRequest() throws {
    let server = try TestServer()
    let client = try server.connect()
    for number in 1...100 { #expect(try client.call("count") == result("\(number)")) }
    // Several in one piece, with blank lines between them; their order is kept.
    try client.send(
      request("count", id: 5) + "\n \r\n" + request("sum", #"{"left":1}"#, id: 6) + request("count", id: 7))
    #expect(try client.line() == result("101", id: 5))
    #expect(try client.line() == result("1", id: 6))
    #expect(try client.line() == result("102", id: 7))
    server.stop()
    #expect(try client.line() == nil)
    #expect(access(server.path, F_OK) == -1, "the socket's file is gone")
  }

  @Test func answersRequestsInAnyPieces() throws {
    let server = try TestServer()
    let client = try server.connect()
    let text = request("echo", #"{"value":"äöü"}"#)
    for byte in text.utf8 { try client.send([byte]) }
    #expect(try client.line() == result("\"äöü\""))
    let bytes = Array(text.utf8)
    for cut in 1..<bytes.count {
      try client.send(Array(bytes[..<cut]))
      try client.send(Array(bytes[cut...]))
      #expect(try client.line() == result("\"äöü\""))
    }
    server.stop()
  }

  @Test func answersAClientThatClosesItsHalfAfterItsRequests() throws {
    let server = try TestServer()
    let client = try server.connect()
    try client.send(request("count") + request("wait", id: 2) + request("count", id: 3))
    shutdown(client.socket.rawValue, Int32(SHUT_WR))
    #expect(try client.line() == result("1"))
    server.methods.gate.signal()
    #expect(try client.line() == result("\"waited\"", id: 2))
    #expect(try client.line() == result("2", id: 3))
    #expect(try client.line() == nil)
    server.stop()
  }

  /// Does what a server may end by closing the connection, and by nothing else.
  private func unlessItCloses(_ body: () throws -> Void) throws {
    do { try body() } catch let error as Errno {
      guard error == .brokenPipe || error == .connectionReset else { throw error }
    }
  }

  // MARK: Garbage

  @Test func goesOnAfterGarbageAtTheNextLine() throws {
    let server = try TestServer()
    let client = try server.connect()
    try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    for _ in 0..<2 { #expect(try client.line()?.contains(#""id":null,"error":{"code":-32700"#) == true) }
    try client.send([0xff, 0x00, 0x0a])
    #expect(try client.line()?.contains("-32700") == true)
    #expect(try client.call("count") == result("1"))
    server.stop()
  }

  @Test func closesAfterAMessageThatIsTooLong() throws {
    let server = try TestServer()
    let client = try server.connect()
    let other = try server.connect()
    let chunk = [UInt8](repeating: 0x20, count: 64 << 10)
    for _ in 0..<64 { try unlessItCloses { try client.send(chunk) } }
    #expect(try client.line()?.contains("-32004") == true)
    #expect(try client.line() == nil)
    #expect(try other.call("count") == result("1"))
    server.stop()
  }

  @Test func survivesClientsThatLeaveInTheMiddle() throws {
    let server = try TestServer()
    let text = Array(request("count").utf8)
    for end in 0...text.count {
      let client = try server.connect()
      // One may be refused for want of room.
      try unlessItCloses { try client.send(Array(text[..<end])) }
    }
    // The last one sent it all; whether that was read before it left does not matter. No other was a request. There is
    // room for one more as soon as the server has seen some of them leave.
    var reply: String?
    let deadline = Clock.monotonic + 60_000_000_000
    repeat {
      reply = nil
      try unlessItCloses { reply = try server.connect().call("count") }
      #expect(reply == nil || reply?.contains("-32003") == true || reply == result("1") || reply == result("2"))
    } while reply?.contains("-32003") != false && Clock.monotonic < deadline
    #expect(reply == result("1") || reply == result("2"))
    server.stop()
  }

  // MARK: Bounds

  @Test func servesAThousandConnectionsInTurn() throws {
    let server = try TestServer()
    for number in 1...1000 {
      let client = try server.connect()
      #expect(try client.call("count") == result("\(number)"))
    }
    server.stop()
  }

  @Test func boundsItsClients() throws {
    var limits = ControlServer.Limits()
    limits.clients = 4
    let server = try TestServer(limits: limits)
    var clients: [RawClient] = []
    for number in 1...4 {
      clients.append(try server.connect())
      #expect(try clients.last?.call("count") == result("\(number)"))
    }
    for _ in 0..<10 {
      let refused = try server.connect()
      #expect(try refused.line()?.contains(#""error":{"code":-32003,"message":"4 clients"#) == true)
      #expect(try refused.line() == nil)
    }
    clients.removeFirst()
    // Its place is free as soon as the server has seen it leave.
    var reply: String?
    repeat { reply = try server.connect().call("count") } while reply?.contains("-32003") != false
    #expect(reply == result("5"))
    server.stop()
  }

  /// A client that asks and never reads is dropped; the others do not notice.
  @Test func dropsAClientThatNeverReads() throws {
    let server = try TestServer()
    let greedy = try server.connect()
    let other = try server.connect()
    let line = Array(request("long", #"{"bytes":100000}"#).utf8)
    var isDropped = false
    for number in 1...1000 {
      do { try greedy.send(line) } catch {
        isDropped = true
        break
      }
      #expect(try other.call("count") == result("\(number)"))
    }
    #expect(isDropped)
    server.stop()
  }

  /// One large reply is not what clients are dropped for.
  @Test func sendsAReplyThatIsLargerThanTheQueue() throws {
    let server = try TestServer()
    let client = try server.connect()
    let size = 3 * OutgoingBytes.limit
    #expect(try client.call("long", #"{"bytes":\#(size)}"#)?.utf8.count == result("\"\"").utf8.count + size)
    server.stop()
  }

  // MARK: Requests that take long

  @Test func servesOthersWhileARequestTakesLong() throws {
    let server = try TestServer()
    let client = try server.connect()
    let other = try server.connect()
    try client.send(request("wait") + request("count", id: 2))
    server.methods.waiting.wait()
    #expect(try other.call("count") == result("1"))
    server.methods.gate.signal()
    #expect(try client.line() == result("\"waited\""))
    #expect(try client.line() == result("2", id: 2), "what follows waits for it")
    server.stop()
  }

  /// Clients that leave do not make room for more of them than there may be.
  @Test func boundsRequestsThatTakeLong() throws {
    var limits = ControlServer.Limits()
    limits.longCalls = 3
    let server = try TestServer(limits: limits)
    for _ in 0..<3 {
      let client = try server.connect()
      try client.send(request("wait"))
      server.methods.waiting.wait()
    }
    let client = try server.connect()
    #expect(try client.call("wait")?.contains(#""id":1,"error":{"code":-32003"#) == true)
    #expect(try client.call("count") == result("1"))
    var events = 0
    while events < 3 {
      server.methods.gate.signal()
      events += 1
    }
    server.stop()
  }

  @Test func finishesWhatIsUnderWayWhenItStops() throws {
    let server = try TestServer()
    let client = try server.connect()
    try client.send(request("wait"))
    server.methods.waiting.wait()
    let stopper = try Thread(name: "stopper") { server.stop() }
    server.methods.gate.signal()
    #expect(try client.line() == result("\"waited\""))
    #expect(try client.line() == nil)
    stopper.join()
  }

  // MARK: Descriptors

  @Test func givesDescriptorsToMethodsThatTakeThem() throws {
    let server = try TestServer()
    let client = try server.connect()
    let null = try FileDescriptor(path: "/dev/null", flags: O_RDWR)
    let zero = try FileDescriptor(path: "/dev/zero", flags: O_RDWR)
    let inodes = try [null.status().st_ino, zero.status().st_ino]
    try client.send(request("take"), descriptors: [null.rawValue, zero.rawValue])
    #expect(try client.line() == result("[\(inodes[0]),\(inodes[1])]"))
    #expect(try client.call("take") == result("[]"))
    try client.send(request("count"), descriptors: [null.rawValue])
    #expect(try client.line()?.contains("count takes no descriptors") == true)
    #expect(try client.call("count") == result("1"))
    server.stop()
  }

  @Test func leaksNoDescriptors() throws {
    let server = try TestServer()
    let null = try FileDescriptor(path: "/dev/null", flags: O_RDWR)
    // The other end of a socket that was handed over is closed when the server has closed it.
    for text in ["take", "count", "none"].map({ request($0) }) + ["garbage\n", "[]\n"] {
      let client = try server.connect()
      let pair = try UnixSocketPair()
      try client.send(text, descriptors: [null.rawValue, pair.second.rawValue])
      _ = try client.line()
      let watched = try pair.first.duplicate()
      _ = consume pair
      var entry = pollfd(fd: watched.rawValue, events: Int16(POLLIN), revents: 0)
      #expect(poll(&entry, 1, 30_000) == 1, "\(text)")
    }
    server.stop()
  }
}
