import Glibc
import LinuxIO
import Testing

@testable import VFIOUser

/// The bytes of a hex dump without offsets; white space is ignored.
func hex(_ text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// A whole message of any header and payload, well-formed or not.
func message(
  id: UInt16 = 1, _ command: UInt16, flags: UInt32 = 0, size: UInt32? = nil, _ payload: [UInt8] = []
) -> [UInt8] {
  let header = MessageHeader(
    messageID: id, commandNumber: command, messageSize: size ?? UInt32(MessageHeader.size + payload.count),
    flags: .init(rawValue: flags))
  var bytes: [UInt8] = []
  header.encode(to: &bytes)
  return bytes + payload
}

/// 32-bit numbers as a payload.
func words(_ words: UInt32...) -> [UInt8] {
  var bytes: [UInt8] = []
  for word in words { bytes.append(integer: word) }
  return bytes
}

/// The request of a whole message.
func decode(_ message: [UInt8], descriptors: Int = 0) throws(Errno) -> Request {
  let header = try MessageHeader(decoding: message.span)
  return try Request(
    header: header, payload: message.span.extracting(MessageHeader.size...), descriptorCount: descriptors)
}

/// The bytes of a reply to a command.
func encode(_ reply: Reply, id: UInt16, _ command: Command) -> [UInt8] {
  var bytes: [UInt8] = []
  reply.encode(to: &bytes, answering: MessageHeader(messageID: id, commandNumber: command.rawValue))
  return bytes
}

/// How many descriptors of this process are open on the file behind `fd`: a leak shows, whatever else runs beside.
func openDescriptors(ofTheFileBehind fd: Int32) -> Int {
  var wanted = stat()
  guard fstat(fd, &wanted) == 0, let directory = opendir("/proc/self/fd") else { return -1 }
  defer { closedir(directory) }
  var count = 0
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    guard let number = Int32(name) else { continue }
    var status = stat()
    if fstat(number, &status) == 0, status.st_dev == wanted.st_dev, status.st_ino == wanted.st_ino { count += 1 }
  }
  return count
}

/// The bytes that wait at a socket, at most `count`; none where it is empty or closed.
func receive(_ count: Int, from socket: Int32) -> [UInt8] {
  var buffer = [UInt8](repeating: 0, count: count)
  var descriptors = ReceivedDescriptors(capacity: 0)
  let receipt = try? UnixSocket.receive(socket, into: &buffer, at: 0..<count, descriptors: &descriptors, wait: false)
  return Array(buffer.prefix(receipt?.count ?? 0))
}

/// A generator whose numbers are the same in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// A server and the raw socket of its client.
struct Wire: ~Copyable {
  var server: ServerConnection
  let client: FileDescriptor

  /// - Parameter negotiated: whether client and server have agreed, the client with what QEMU says.
  init(negotiated: Bool = true) throws {
    let pair = try UnixSocketPair()
    server = ServerConnection(pair.first)
    client = pair.second
    guard negotiated else { return }
    send(VersionMessage(minor: 0, json: Array(qemuJSON.utf8)).message(id: 0))
    #expect(server.receive() == .negotiated)
    #expect(receive(143).count == 143)
  }

  borrowing func send(_ bytes: [UInt8], descriptors: [Int32] = []) {
    let sent = try? UnixSocket.send(client.rawValue, bytes.span, descriptors: descriptors, wait: false)
    #expect(sent == bytes.count)
  }

  borrowing func receive(_ count: Int) -> [UInt8] { VFIOUserTests.receive(count, from: client.rawValue) }
}

/// What QEMU 11.1.3 says about itself, as captured.
let qemuJSON =
  "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535,"
  + " \"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, \"pgsize\": 4096},"
  + " \"write_multiple\": true}}"
