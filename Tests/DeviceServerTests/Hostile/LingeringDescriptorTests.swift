import Glibc
import LinuxIO
import Testing

@testable import DeviceServer

/// Descriptors that wait when they are closed, with every kind of message: the server's threads do not.
@Suite struct LingeringDescriptorTests {
  /// A TCP connection whose other end takes nothing: it lingers when it is closed, for a quarter of an hour.
  private final class Connection {
    private let accepted: FileDescriptor
    private var own: FileDescriptor?
    let inode: ino_t

    init() throws {
      let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
      let listener = FileDescriptor(owning: socket(AF_INET, type, 0))
      let connection = FileDescriptor(owning: socket(AF_INET, type, 0))
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let size = length
      let isConnected = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
          bind(listener.rawValue, place, size) == 0 && listen(listener.rawValue, 1) == 0
            && getsockname(listener.rawValue, place, &length) == 0 && connect(connection.rawValue, place, size) == 0
        }
      }
      guard isConnected else { throw Errno.current }
      accepted = FileDescriptor(owning: accept(listener.rawValue, nil, nil))
      let bytes = [UInt8](repeating: 1, count: 1 << 16)
      while Glibc.send(connection.rawValue, bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {}
      var linger = Glibc.linger(l_onoff: 1, l_linger: 900)
      guard
        setsockopt(
          connection.rawValue, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size)) == 0
      else { throw Errno.current }
      inode = try connection.status().st_ino
      own = consume connection
    }

    /// How many descriptors of this process are open on it.
    static func openDescriptors(_ inodes: Set<ino_t>) -> Int {
      descriptorNumbers().filter { number in
        var status = stat()
        return fstat(number, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK && inodes.contains(status.st_ino)
      }.count
    }

    /// Sends the connection with a message, so that the server has its only descriptor.
    func send(_ client: Client, _ bytes: [UInt8]) throws {
      guard let number = own.take()?.release() else { return }
      try client.send(bytes, descriptors: [number])
      // Mostly not its end, as the message holds it until it is received; and nothing waits where it is.
      FileDescriptor(owning: number).dispose()
    }
  }

  @Test func whatLingersHoldsUpNobody() throws {
    let client = try ServedDevice().connect()
    var connections: [Connection] = []
    for message in [
      command(Number.getInfo, u32(16, 0, 0, 0)), command(Number.dmaMap, dmaMap(0, 0x1000)),
      command(Number.dmaMap, dmaMap(0, 1 << 63)),
      command(Number.setIRQs, setIRQs(IRQ.msix, IRQ.eventfd | IRQ.trigger, count: 1)),
      command(Number.setIRQs, setIRQs(IRQ.error, IRQ.eventfd | IRQ.trigger, count: 1)),
      command(Number.dmaUnmap, dmaUnmap(0, 0x1000)), command(0x55),
    ] {
      let connection = try Connection()
      try connection.send(client, message)
      connections.append(connection)
      _ = try client.receive()
      // The next message has closed what nobody took.
      #expect(
        try client.exchange(command(Number.getInfo, u32(16, 0, 0, 0))) == reply(Number.getInfo, u32(16, 3, 9, 5)))
    }
    let inodes = Set(connections.map(\.inode))
    #expect(inodes.count == 7)
    // The other ends go, which is the end of all waiting.
    connections = []
    let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
    while Connection.openDescriptors(inodes) > 0, Clock.monotonic < deadline { sched_yield() }
    #expect(Connection.openDescriptors(inodes) == 0)
    #expect(try client.exchange(command(Number.getInfo, u32(16, 0, 0, 0))) == reply(Number.getInfo, u32(16, 3, 9, 5)))
  }
}
