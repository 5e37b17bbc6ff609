import Glibc
import LinuxIO
import Logging

@testable import Control

/// A server with test methods, on a socket in a folder of its own.
final class TestServer: Sendable {
  let methods: TestMethods
  let path: String
  private let folder: String
  private let server: ControlServer

  init(policy: PeerPolicy = PeerPolicy(), limits: ControlServer.Limits = ControlServer.Limits()) throws {
    var template = Array("/tmp/nvmed-control-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno.current }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    path = folder + "/socket"
    methods = try TestMethods()
    var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    server = try ControlServer.start(
      try ControlSocket.listen(path: path, group: nil), methods: methods.table, policy: policy, limits: limits,
      logger: logger)
  }

  func stop() { server.stop() }

  deinit { rmdir(folder) }

  /// A client that sends and receives bytes as they are.
  func connect() throws -> RawClient { try RawClient(path) }
}

/// Bytes to a server, and lines from it.
final class RawClient {
  let socket: FileDescriptor
  private var received: [UInt8] = []

  convenience init(_ path: String) throws(Errno) { self.init(try UnixSocket.connect(path: path)) }

  init(_ socket: consuming FileDescriptor) {
    self.socket = socket
    // Nothing is waited for without an end.
    var timeout = timeval(tv_sec: 120, tv_usec: 0)
    setsockopt(self.socket.rawValue, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(self.socket.rawValue, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  }

  func send(_ text: String, descriptors: [Int32] = []) throws(Errno) {
    try send(Array(text.utf8), descriptors: descriptors)
  }

  func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws(Errno) {
    var sent = 0
    while sent < bytes.count {
      sent += try UnixSocket.send(
        socket.rawValue, bytes.span.extracting(sent..<bytes.count), descriptors: sent == 0 ? descriptors : [],
        wait: true)
    }
  }

  /// The next line without its newline; nil at the end.
  func line() throws(Errno) -> String? {
    var none = ReceivedDescriptors(capacity: 0)
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var searched = 0
    while true {
      if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { received.removeFirst(end + 1) }
        return String(decoding: received[..<end], as: UTF8.self)
      }
      searched = received.count
      let count: Int
      do throws(Errno) {
        count = try UnixSocket.receive(
          socket.rawValue, into: &buffer, at: 0..<buffer.count, descriptors: &none, wait: true
        ).count
      } catch .connectionReset {
        return nil
      }
      guard count > 0 else { return nil }
      received += buffer[..<count]
    }
  }

  /// Sends a request without parameters and gives the line that comes.
  func call(_ method: String, _ parameters: String = "{}") throws(Errno) -> String? {
    try send(request(method, parameters))
    return try line()
  }
}

/// A request as a line.
func request(_ method: String, _ parameters: String = "{}", id: Int = 1) -> String {
  #"{"jsonrpc":"2.0","method":"\#(method)","params":\#(parameters),"id":\#(id)}"# + "\n"
}
