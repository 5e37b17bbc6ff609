import Glibc
import LinuxIO
import Logging
import Testing

@testable import Control

/// A server that has no thread but its caller's.
@Suite struct InlineControlServerTests {
  private func connect(
    limits: ControlServer.Limits = ControlServer.Limits()
  ) throws -> (server: InlineControlServer, methods: TestMethods, client: RawClient) {
    var template = Array("/tmp/nvmed-control-XXXXXX".utf8CString)
    guard let folder = mkdtemp(&template).map({ String(cString: $0) }) else { throw Errno.current }
    defer { rmdir(folder) }
    let methods = try TestMethods()
    let server = try InlineControlServer(
      try ControlSocket.listen(path: folder + "/socket", group: nil), methods: methods.table, limits: limits,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    unlink(folder + "/socket")
    var numbers: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &numbers) == 0 else { throw Errno.current }
    server.serve(FileDescriptor(owning: numbers[1]))
    return (server, methods, RawClient(FileDescriptor(owning: numbers[0])))
  }

  @Test func movesOnlyWhenItIsToldTo() throws {
    let (server, methods, client) = try connect()
    #expect(server.clientCount == 1)
    #expect(!server.turn())
    try client.send(request("count"))
    #expect(methods.calls.withLock { $0 } == 0)
    #expect(server.turn())
    #expect(methods.calls.withLock { $0 } == 1)
    #expect(try client.line() == #"{"jsonrpc":"2.0","id":1,"result":1}"#)
  }

  @Test func doesWhatTakesLongInTheSameThread() throws {
    let (server, methods, client) = try connect()
    // Its gate is open, as nobody else could open it meanwhile.
    methods.gate.signal()
    try client.send(request("wait") + request("count", id: 2))
    while server.turn() {}
    #expect(try client.line() == #"{"jsonrpc":"2.0","id":1,"result":"waited"}"#)
    #expect(try client.line() == #"{"jsonrpc":"2.0","id":2,"result":1}"#)
  }

  @Test func countsClientsThatDoNotReadTheirReplies() throws {
    var limits = ControlServer.Limits()
    limits.replyBytes = 64
    let (server, _, client) = try connect(limits: limits)
    // The first reply may be as long as it likes; what follows has no room beside it.
    try client.send(request("count") + request("count", id: 2))
    while server.turn() {}
    #expect(server.droppedCount == 1)
    #expect(server.clientCount == 0)
  }

  @Test func forgetsAClientThatHasGone() throws {
    let (server, _, client) = try connect()
    shutdown(client.socket.rawValue, Int32(SHUT_RDWR))
    while server.turn() {}
    #expect(server.clientCount == 0)
  }
}
