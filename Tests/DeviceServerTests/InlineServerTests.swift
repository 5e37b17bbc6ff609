import Glibc
import LinuxIO
import Testing

@testable import DeviceServer

/// A device server that has no thread but its caller's.
@Suite struct InlineServerTests {
  private func connect() throws -> (server: InlineServer, client: Client) {
    let server = try InlineServer.make(try testOptions())
    var numbers: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &numbers) == 0 else { throw Errno.current }
    try server.serve(FileDescriptor(owning: numbers[1]))
    return (server, Client(FileDescriptor(owning: numbers[0])))
  }

  @Test func answersWhenItIsToldTo() throws {
    let (server, client) = try connect()
    try client.send(command(Number.version, version(nil)))
    #expect(server.settle())
    #expect(try client.receive().count > 16)
    // Nothing more comes of itself.
    #expect(!server.turn())
  }

  @Test func forgetsAClientThatHasGone() throws {
    let (server, client) = try connect()
    #expect(server.settle())
    #expect(server.isServing)
    client.disconnect()
    #expect(server.settle())
    #expect(!server.isServing)
  }

  @Test func servesOthersToTheNextClient() throws {
    let (server, client) = try connect()
    #expect(server.settle())
    #expect(server.diagnosis.contains("state serving"))
    client.disconnect()
    #expect(server.settle())
    #expect(server.diagnosis.contains("no client"))
    server.options.namespaces = [nil, server.options.namespaces[0]]
    var numbers: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &numbers) == 0 else { throw Errno.current }
    let next = Client(FileDescriptor(owning: numbers[0]))
    try server.serve(FileDescriptor(owning: numbers[1]))
    // Its place is free for another.
    let addition = try server.setNamespace(1, server.options.namespaces[1])
    #expect(server.settle())
    #expect(addition.value == true)
    _ = next
  }

  /// A client that takes no replies, and goes while a message waits for its effects: nothing is looked at over and over.
  @Test func restsWhenAClientGoesWhoseRepliesWait() throws {
    let (server, client) = try connect()
    try client.send(command(Number.version, version(nil)))
    #expect(server.settle())
    let read = command(Number.regionRead, access(Region.config, 0, 256))
    var sent = 0
    while !server.diagnosis.contains("watched 5"), sent < 10_000 {
      try client.send(read)
      #expect(server.settle())
      sent += 1
    }
    #expect(sent < 10_000, "the replies fill the socket")
    // The I/O thread has to agree, and has no turn.
    try client.send(command(Number.reset))
    while server.turnControl() {}
    #expect(server.diagnosis.contains("a message waits for its effects"))
    client.disconnect()
    var turns = 0
    while server.turnControl(), turns < 1000 { turns += 1 }
    #expect(turns < 10)
    #expect(server.settle())
    #expect(!server.isServing)
  }

  @Test func changesNamespaces() throws {
    let (server, client) = try connect()
    #expect(server.settle())
    let removal = try server.setNamespace(1, nil)
    #expect(removal.value == nil)
    #expect(server.settle())
    #expect(removal.value == true)
    let beyond = try server.setNamespace(65, nil)
    let drain = try server.drain()
    #expect(server.settle())
    #expect(beyond.value == false)
    #expect(drain.value == true)
    _ = client
  }
}
