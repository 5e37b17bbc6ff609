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
/// Every line that comes back is JSON and a reply, each request with an identifier has one, and the next client is
/// served.
enum ControlTarget {
  /// Less than a daemon's, so that an input that reaches them costs little.
  private static let limits: ControlServer.Limits = {
    var limits = ControlServer.Limits()
    limits.lineBytes = 8 << 10
    limits.replyBytes = 64 << 10
    return limits
  }()
  /// Bytes of the repeated pieces of an input at most: two lines of the longest kind.
  private static let repetitionLimit = 16 << 10

  private static let supervisor: Supervisor = {
    FuzzFolder.make()
    do {
      return try Supervisor.start(
        DaemonConfiguration(logLevel: .error, workerThreads: 1, spinMicroseconds: 0, sandbox: .off))
    } catch { fatalError("\(error)") }
  }()

  private static let methods = ControlMethods(
    supervisor,
    reread: { () throws(ConfigurationErrors) in DaemonConfiguration(logLevel: .error, workerThreads: 1) }, stop: {}
  ).table

  nonisolated(unsafe) private static let server: InlineControlServer = {
    do {
      return try InlineControlServer(
        try listener(), methods: methods, limits: limits,
        logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
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
    let client = ControlClient(server)
    var budget = repetitionLimit
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
        let times = min(repetitions(input.byte()), budget / max(1, piece.count))
        budget -= times * piece.count
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
    client.check(methods, lineLimit: limits.lineBytes, isWhole: reads)
    client.end()
    reset()
  }

  /// How often a piece is sent: seldom so often that it costs as much as a hundred other inputs.
  private static func repetitions(_ byte: UInt8) -> Int {
    let power = Int(byte & 7)
    return 1 << (byte < 0xf8 ? power : 8 + power)
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
      // One whose only client has gone may end by itself meanwhile.
      do throws(DaemonError) { try supervisor.removeController(controller.name) } catch {}
    }
    _ = supervisor.collectEnded()
    let left = supervisor.configuration.controllers.map(\.name)
    require(left.isEmpty, "controllers that cannot be removed: \(left)")
    supervisor.setLogLevel(.error)
  }
}
