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
