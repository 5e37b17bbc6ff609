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
      own = consume connection
    }

    /// Sends the connection with a message, so that the server has its only descriptor.
    func send(_ client: Client, _ bytes: [UInt8]) throws {
      guard let number = own.take()?.release() else { return }
      try client.send(Array(bytes.dropLast()), descriptors: [number])
      // A message that is not complete holds it, so that this is not its end, and does not wait.
      close(number)
      try client.send(Array(bytes.suffix(1)))
    }
  }

  @Test func whatLingersHoldsUpNobody() throws {
    let client = try ServedDevice().connect()
    var connections: [Connection] = []
    for message in [
      command(Number.getInfo, u32(16, 0, 0, 0)), command(Number.dmaMap, dmaMap(0, 0x1000)),
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
    #expect(connections.count == 6)
  }
}
