import CLinux
import DeviceServer
import Glibc

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
    return [
      eventfd(0, 0), eventfd(0, 0), pipes[0], pipes[1], open("/dev/null", O_RDWR), open("/", O_RDONLY),
      open("/proc/self/exe", O_RDONLY), open("/dev/zero", O_RDWR), FuzzMemory.descriptor, FuzzMemory.descriptor,
    ]
  }()

  /// The flags of each at first.
  private static let flags: [Int32] = descriptors.map { fcntl($0, F_GETFL) }
  /// Which of them were sent since they were as at first.
  nonisolated(unsafe) private static var sent = Set<Int>(descriptors.indices)

  /// Descriptors are as at first, with their flags and counters: what one input does to them is not the next one's.
  private static func restore() {
    for index in sent {
      let number = descriptors[index]
      if index < 4 {
        _ = fcntl(number, F_SETFL, flags[index] | O_NONBLOCK)
        var bytes: (UInt64, UInt64) = (0, 0)
        while read(number, &bytes, index < 2 ? 8 : 16) > 0 {}
        var most = UInt64.max - 1
        if index == 1 { _ = write(number, &most, 8) }
      }
      // The eventfds do not wait, one is full.
      _ = fcntl(number, F_SETFL, index < 2 ? flags[index] | O_NONBLOCK : flags[index])
    }
    sent.removeAll(keepingCapacity: true)
  }

  /// One of them, to be sent.
  private static func descriptor(_ index: Int) -> Int32 {
    sent.insert(index)
    guard index >= 8 else { return descriptors[index] }
    FuzzDisk.noteWrites()
    return FuzzMemory.give()
  }

  static func test(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    restore()
    let host = FuzzHost(server)
    if input.byte() & 1 == 1 {
      host.negotiate()
      host.flush()
    }
    while !input.isEmpty, host.isConnected {
      let head = input.byte()
      let length = Int(input.integer(UInt16.self) & 0x3ff)
      let sent = (0..<Int(head & 3)).map { _ in descriptor(input.choice(descriptors.count)) }
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
