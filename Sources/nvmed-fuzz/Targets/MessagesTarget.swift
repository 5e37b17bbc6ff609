import DeviceServer
import CLinux
import Glibc
import LinuxIO

/// Bytes to the socket, with descriptors of every kind among them, in pieces of any size.
///
/// A piece begins with its length and with what it carries; everything else is the fuzzer's, the negotiation of a
/// version included.
enum MessagesTarget {
  nonisolated(unsafe) private static let server = InlineServer.forFuzzing(FuzzDisk.inMemory())

  /// Descriptors that somebody may send.
  private static let descriptors: [Int32] = {
    var pipes: [Int32] = [-1, -1]
    _ = pipe(&pipes)
    let full = eventfd(0, Int32(EFD_NONBLOCK))
    var most: UInt64 = .max - 1
    _ = write(full, &most, 8)
    return [
      eventfd(0, Int32(EFD_NONBLOCK)), full, pipes[0], pipes[1], open("/dev/null", O_RDWR), open("/", O_RDONLY),
      open("/proc/self/exe", O_RDONLY), open("/dev/zero", O_RDWR), FuzzMemory.descriptor, FuzzMemory.descriptor,
    ]
  }()

  static func test(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let host = FuzzHost(server)
    if input.byte() & 1 == 1 {
      host.negotiate()
      host.flush()
    }
    while !input.isEmpty, host.isConnected {
      let head = input.byte()
      let length = Int(input.integer(UInt16.self) & 0x3ff)
      let sent = (0..<Int(head & 3)).map { _ in input.one(of: descriptors) }
      let piece = input.rest(length)
      if piece.isEmpty { continue }
      host.send(piece, descriptors: sent)
      if head & 4 == 0 {
        host.settle()
        host.discardReplies()
      }
      if head & 8 != 0 { host.disconnect() }
    }
    host.end()
  }
}

extension InlineServer {
  /// A server of one target.
  static func forFuzzing(_ options: DeviceOptions) -> InlineServer {
    do { return try make(options) } catch { fatalError("\(error)") }
  }
}
