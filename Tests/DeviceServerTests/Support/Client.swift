import Glibc
import LinuxIO
import VFIOUser

/// How long anything is awaited, in ms: never reached where all is well.
let patience: Int32 = 120_000

/// A client of a served device. A class, as `#expect` copies what it looks at.
final class Client {
  private var connection: ClientConnection
  /// The server, which lives as long as its client.
  var server: ServedDevice?
  /// What it sent, with the descriptors, whose numbers stay good as long as their owners live; nil: nobody asks.
  var sent: [(bytes: [UInt8], descriptors: [Int32])]?

  /// A client on a connected socket, which has said nothing yet.
  init(_ socket: consuming FileDescriptor) { connection = ClientConnection(socket, timeout: patience) }

  /// The socket's number.
  var descriptor: Int32 { connection.descriptor }

  /// Ends the connection, as the server sees it: whatever is under way stays under way.
  func disconnect() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

  // MARK: Bytes

  /// Sends bytes as they are.
  func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws {
    sent?.append((bytes, descriptors))
    try connection.send(bytes: bytes, descriptors: descriptors)
  }

  /// The next message of the server, as bytes; its descriptors are closed.
  func receive() throws -> [UInt8] { try receiveWithDescriptors { $0 } }

  /// The next message of the server, as bytes, and its descriptors.
  func receiveWithDescriptors<Result: ~Copyable>(
    _ body: ([UInt8], inout ReceivedDescriptors) throws -> Result
  ) throws -> Result {
    var message = try connection.receiveMessage()
    var bytes: [UInt8] = []
    message.header.encode(to: &bytes)
    bytes += message.payload
    return try body(bytes, &message.descriptors)
  }

  private func receiveWithDescriptors(_ body: ([UInt8]) -> [UInt8]) throws -> [UInt8] {
    try receiveWithDescriptors { (bytes, _) in body(bytes) }
  }

  /// Sends a command and gives back the reply.
  func exchange(_ bytes: [UInt8], descriptors: [Int32] = []) throws -> [UInt8] {
    try send(bytes, descriptors: descriptors)
    return try receive()
  }

  /// Introduces itself as QEMU does; what is agreed on is not looked at.
  @discardableResult
  func negotiate(_ json: String? = qemuJSON) throws -> [UInt8] {
    try exchange(command(Number.version, version(json)))
  }

  /// Whether the server has closed and left nothing to read.
  func isAtEnd() -> Bool {
    do {
      _ = try connection.receiveMessage()
      return false
    } catch {
      return error == .connectionReset
    }
  }

  // MARK: Commands that succeed

  /// Reads at most eight bytes of a region.
  func read(_ region: UInt32, _ offset: UInt64, _ count: Int) throws -> UInt64 {
    let bytes = try readBytes(region, offset, count)
    return bytes.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
  }

  /// Reads bytes of a region.
  func readBytes(_ region: UInt32, _ offset: UInt64, _ count: Int) throws -> [UInt8] {
    let answer = try exchange(command(Number.regionRead, access(region, offset, count)))
    try expect(Array(answer.prefix(32)), reply(Number.regionRead, access(region, offset, count), count))
    return Array(answer.dropFirst(32))
  }

  /// Writes the lowest `count` bytes of a number to a region.
  func write(_ region: UInt32, _ offset: UInt64, _ value: UInt64, _ count: Int) throws {
    let data = u64(value).prefix(count)
    let answer = try exchange(command(Number.regionWrite, access(region, offset, count) + data))
    try expect(answer, reply(Number.regionWrite, access(region, offset, count), 0))
  }

  /// Writes a register or doorbell without waiting, as QEMU does.
  func post(_ offset: UInt64, _ value: UInt32) throws {
    try send(command(Number.regionWrite, flags: noReply, access(Region.bar0, offset, 4) + u32(value)))
  }

  /// Maps memory.
  func map(
    _ iova: UInt64, _ size: UInt64, _ descriptor: Int32?, offset: UInt64 = 0, flags: UInt32 = 3
  ) throws {
    let answer = try exchange(
      command(Number.dmaMap, dmaMap(iova, size, offset: offset, flags: flags)),
      descriptors: descriptor.map { [$0] } ?? [])
    try expect(answer, reply(Number.dmaMap, [], 0))
  }

  /// Unmaps memory.
  func unmap(_ iova: UInt64, _ size: UInt64, flags: UInt32 = 0) throws {
    let answer = try exchange(command(Number.dmaUnmap, dmaUnmap(iova, size, flags: flags)))
    try expect(answer, reply(Number.dmaUnmap, dmaUnmap(iova, size, flags: flags), 0))
  }

  /// Installs eventfds for MSI-X vectors from `start` on.
  func installVectors(_ start: UInt32, _ events: [Int32]) throws {
    let payload = setIRQs(IRQ.msix, IRQ.eventfd | IRQ.trigger, start: start, count: UInt32(events.count))
    try expect(
      try exchange(command(Number.setIRQs, payload), descriptors: events), reply(Number.setIRQs, [], 0))
  }

  /// DEVICE_RESET.
  func reset() throws { try expect(try exchange(command(Number.reset)), reply(Number.reset, [], 0)) }

  /// Sets Memory Space Enable and, or not, Bus Master Enable.
  func setBusMaster(_ isEnabled: Bool) throws { try write(Region.config, 4, isEnabled ? 6 : 2, 2) }

  // MARK: Helpers

  /// What a helper of the tests met in place of what it needs.
  struct Unexpected: Error, CustomStringConvertible {
    let bytes: [UInt8]
    var description: String {
      "the server answered " + bytes.map { String($0, radix: 16) }.joined(separator: " ")
    }
  }

  private func expect(_ bytes: [UInt8], _ expected: [UInt8]) throws {
    if bytes != expected { throw Unexpected(bytes: bytes) }
  }

  /// A reply whose data of `count` bytes is looked at elsewhere.
  private func reply(_ number: UInt16, _ payload: [UInt8], _ count: Int) -> [UInt8] {
    u16(1, number) + u32(UInt32(16 + payload.count + count), 1, 0) + payload
  }
}
