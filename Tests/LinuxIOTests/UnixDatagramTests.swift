import Glibc
import LinuxIO
import Testing

@Suite struct UnixDatagramTests {
  /// A socket that receives, at a path or, with '@', at an abstract name.
  private static func receiver(_ path: String) throws -> FileDescriptor {
    let descriptor = FileDescriptor(owning: socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var text = Array(path.utf8)
    if text[0] == UInt8(ascii: "@") { text[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: text) }
    let length = socklen_t(text[0] == 0 ? 2 + text.count : MemoryLayout<sockaddr_un>.size)
    let number = descriptor.rawValue
    let result = withUnsafePointer(to: &address) {
      bind(number, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), length)
    }
    try #require(result == 0)
    return descriptor
  }

  private static func receive(_ number: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }

  @Test(arguments: ["/tmp/nvmed-datagram-\(getpid())", "@nvmed-datagram-\(getpid())"])
  func sendsDatagrams(_ path: String) throws {
    let receiver = try Self.receiver(path)
    defer { unlink(path) }
    let sender = try UnixDatagram(path: path)
    try sender.send("READY=1\nSTATUS=on")
    try sender.send("WATCHDOG=1")
    #expect(Self.receive(receiver.rawValue) == "READY=1\nSTATUS=on")
    #expect(Self.receive(receiver.rawValue) == "WATCHDOG=1")
    #expect(Self.receive(receiver.rawValue) == "")
  }

  @Test(arguments: [
    ("/nonexistent/socket", ENOENT), ("@nvmed-nobody-\(getpid())", ECONNREFUSED), ("", EINVAL), ("@", EINVAL),
    ("/" + String(repeating: "x", count: 108), ENAMETOOLONG), ("/a\u{0}b", EINVAL),
  ])
  func saysWhyItCannotConnect(_ path: String, _ error: Int32) {
    #expect(throws: Errno(rawValue: error)) { _ = try UnixDatagram(path: path) }
  }

  @Test func doesNotWaitForEver() throws {
    let path = "@nvmed-full-\(getpid())"
    let receiver = try Self.receiver(path)
    let sender = try UnixDatagram(path: path, milliseconds: 1)
    #expect(throws: Errno.wouldBlock) { for _ in 0..<100_000 { try sender.send("x") } }
    #expect(Self.receive(receiver.rawValue) == "x")
  }
}
