import CLinux
import Glibc
import LinuxIO
import Logging

@testable import Control
@testable import Daemon

/// Text to the control socket, with every method there is behind it.
///
/// A byte below 5 is no text:
///
/// | byte | what |
/// |---|---|
/// | 0 | what came before is sent, and the server works |
/// | 1 | with the next piece goes a descriptor; the byte that follows says which |
/// | 2 | the piece is sent again and again; the byte that follows says how often |
/// | 3 | the client sends nothing any more |
/// | 4 | the client takes no replies from here on |
///
/// Every line that comes back is JSON and a reply, and the next client is served.
enum ControlTarget {
  /// Bytes of a repeated piece at most: two lines of the longest kind.
  private static let repetitionLimit = 2 << 20

  private static let supervisor: Supervisor = {
    FuzzFolder.make()
    do {
      return try Supervisor.start(
        DaemonConfiguration(logLevel: .error, workerThreads: 1, spinMicroseconds: 0, sandbox: .off))
    } catch { fatalError("\(error)") }
  }()

  nonisolated(unsafe) private static let server: InlineControlServer = {
    let methods = ControlMethods(
      supervisor,
      reread: { () throws(ConfigurationErrors) in DaemonConfiguration(logLevel: .error, workerThreads: 1) }, stop: {})
    do {
      return try InlineControlServer(
        try listener(), methods: methods.table, logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
    } catch { fatalError("\(error)") }
  }()

  /// A socket that nobody connects to, without a path.
  private static func listener() throws(Errno) -> UnixListener {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw .current }
    let descriptor = FileDescriptor(owning: number)
    var address = sockaddr(sa_family: sa_family_t(AF_UNIX), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    guard bind(number, &address, socklen_t(MemoryLayout<sa_family_t>.size)) == 0, listen(number, 1) == 0 else {
      throw .current
    }
    return try UnixListener(inheriting: descriptor)
  }

  static func test(_ bytes: [UInt8]) {
    let client = Client(server)
    var piece: [UInt8] = []
    var descriptors: [Int32] = []
    var reads = true
    func send(_ bytes: [UInt8]) {
      client.send(bytes, descriptors, reads: reads)
      for number in descriptors { close(number) }
      descriptors = []
      client.work(reads: reads)
    }
    var input = FuzzInput(bytes)
    while !input.isEmpty {
      switch input.byte() {
      case 0:
        send(piece)
        piece = []
      case 1: if descriptors.count < 66 { descriptors.append(descriptor(input.byte())) }
      case 2:
        let times = min(repetitions(input.byte()), repetitionLimit / max(1, piece.count))
        send(Array(repeatElement(piece, count: times).joined()))
        piece = []
      case 3: client.finish()
      case 4: reads = false
      case let byte: piece.append(byte)
      }
    }
    send(piece)
    client.finish()
    client.work(reads: true)
    client.check(isWhole: reads)
    client.end()
    reset()
  }

  /// How often a piece is sent: seldom so often that it costs as much as a thousand other inputs.
  private static func repetitions(_ byte: UInt8) -> Int {
    let power = Int(byte & 7)
    return 1 << (byte < 0xf8 ? power : 13 + power)
  }

  /// One more of what somebody may send.
  private static func descriptor(_ kind: UInt8) -> Int32 {
    var pair: [Int32] = [-1, -1]
    switch kind % 6 {
    case 0:
      // A client's end, which is closed at once.
      guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else { break }
      close(pair[0])
    case 1: pair[1] = open("\(FuzzFolder.path)/image", O_RDWR)
    case 2: pair[1] = open("\(FuzzFolder.path)/image", O_RDONLY)
    case 3: pair[1] = open("/dev/null", O_RDWR)
    case 4: pair[1] = open("/", O_RDONLY)
    default: pair[1] = eventfd(0, Int32(EFD_NONBLOCK))
    }
    guard pair[1] >= 0 else { fatalError("no descriptor: \(Errno.current)") }
    return pair[1]
  }

  /// The daemon is as it was at first.
  private static func reset() {
    _ = supervisor.collectEnded()
    for controller in supervisor.configuration.controllers {
      do throws(DaemonError) { try supervisor.removeController(controller.name) } catch {
        // One whose only client has gone may end by itself.
        _ = supervisor.collectEnded()
      }
    }
    supervisor.setLogLevel(.error)
  }

  /// A client of the control socket.
  private final class Client {
    private let server: InlineControlServer
    private let socket: FileDescriptor
    private var received: [UInt8] = []
    nonisolated(unsafe) private static let room = UnsafeMutableRawBufferPointer.allocate(
      byteCount: 65_536, alignment: 8)

    init(_ server: InlineControlServer) {
      self.server = server
      var numbers: [Int32] = [-1, -1]
      guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &numbers) == 0 else {
        fatalError("no socket: \(Errno.current)")
      }
      socket = FileDescriptor(owning: numbers[0])
      server.serve(FileDescriptor(owning: numbers[1]))
    }

    func send(_ bytes: [UInt8], _ descriptors: [Int32], reads: Bool) {
      var sent = 0
      while sent < bytes.count {
        do throws(Errno) {
          sent += try UnixSocket.send(
            socket.rawValue, bytes.span.extracting(sent...), descriptors: sent == 0 ? descriptors : [], wait: false)
        } catch .wouldBlock {
          // A client that takes no replies may have its requests left unread.
          if !work(reads: reads) { return }
        } catch { return }
      }
    }

    /// Lets the server do all that it can; whether there was anything.
    @discardableResult
    func work(reads: Bool) -> Bool {
      var worked = false
      for _ in 0..<1_000_000 {
        let hadEvents = server.turn()
        let hadReplies = reads && receive()
        guard hadEvents || hadReplies else { return worked }
        worked = true
      }
      fatalError("the server does not come to rest")
    }

    private func receive() -> Bool {
      let count = recv(socket.rawValue, Client.room.baseAddress, Client.room.count, Int32(MSG_DONTWAIT))
      guard count > 0 else { return false }
      received += Client.room[..<count]
      return true
    }

    /// Sends nothing any more.
    func finish() { shutdown(socket.rawValue, Int32(SHUT_WR)) }

    /// Every line is JSON, and a reply; one that did not take all of them has been dropped in the middle of one.
    func check(isWhole: Bool) {
      if !isWhole { received = Array(received[..<(received.lastIndex(of: UInt8(ascii: "\n")) ?? 0)]) }
      for line in received.split(separator: UInt8(ascii: "\n")) {
        require(JSONGrammar.isValue(Array(line)), "a reply that is not JSON")
        let text = line.drop { $0 == UInt8(ascii: "[") }
        require(text.starts(with: #"{"jsonrpc":"2.0","id":"#.utf8), "a reply that is none")
      }
      require(!isWhole || received.last ?? 10 == 10, "half a reply")
    }

    /// Goes; the server has nothing left of it.
    func end() {
      shutdown(socket.rawValue, Int32(SHUT_RDWR))
      work(reads: false)
      require(server.clientCount == 0, "a client that is gone is still served")
    }
  }
}
