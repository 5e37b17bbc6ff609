import Glibc
import LinuxIO
import NIOCore
import Testing

@testable import Metrics

@Suite struct MetricsServerTests {
  /// A server on a unix socket in a folder of its own.
  private final class Server {
    let folder: String
    let path: String
    let server: MetricsServer

    init(connectionTime: TimeAmount = .seconds(60)) throws {
      var template = Array("/tmp/nvmed-metrics-XXXXXX".utf8CString)
      _ = mkdtemp(&template)
      folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      path = folder + "/metrics.sock"
      server = try MetricsServer.start(try MetricsListener(.unix(path: path)), connectionTime: connectionTime) {
        .sample
      }
    }

    deinit {
      server.stop()
      rmdir(folder)
    }

    func connect() throws -> LinuxIO.FileDescriptor { try UnixSocket.connect(path: path) }
  }

  private struct Reply {
    let status: String
    let headers: [String: String]
    let body: [UInt8]

    init(_ bytes: [UInt8]) throws {
      let text = String(decoding: bytes, as: UTF8.self)
      let end = try #require(text.firstRange(of: "\r\n\r\n"))
      let lines = text[..<end.lowerBound].split(separator: "\r\n")
      status = String(try #require(lines.first))
      headers = Dictionary(
        uniqueKeysWithValues: lines.dropFirst().map { line in
          let parts = line.split(separator: ":", maxSplits: 1)
          return (parts[0].lowercased(), String(parts[1].drop { $0 == " " }))
        })
      body = Array(text[end.upperBound...].utf8)
    }
  }

  /// Sends a request, and reads until the server closes the connection.
  private static func exchange(_ request: String, _ socket: consuming LinuxIO.FileDescriptor) throws -> [UInt8] {
    let bytes = Array(request.utf8)
    _ = try UnixSocket.send(socket.rawValue, bytes.span, wait: true)
    return readAll(socket.rawValue)
  }

  private static func readAll(_ socket: Int32) -> [UInt8] {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(socket, &chunk, chunk.count)
      if count <= 0 { return all }
      all += chunk.prefix(count)
    }
  }

  private static func ask(_ server: Server, _ request: String) throws -> Reply {
    try Reply(try exchange(request, try server.connect()))
  }

  @Test func servesMetrics() throws {
    let server = try Server()
    let reply = try Self.ask(server, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(reply.status == "HTTP/1.1 200 OK")
    #expect(reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    #expect(reply.headers["content-length"] == "\(reply.body.count)")
    #expect(reply.headers["connection"] == "close")
    #expect(reply.body == Exposition.prometheus.text(.sample))
    _ = try ExpositionParser.parse(reply.body)
  }

  @Test func servesOpenMetricsToWhoAsksForIt() throws {
    let server = try Server()
    let reply = try Self.ask(
      server, "GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text;version=1.0.0\r\n\r\n")
    #expect(reply.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
    _ = try ExpositionParser.parse(reply.body, isOpenMetrics: true)
  }

  @Test func headHasNoBody() throws {
    let server = try Server()
    let reply = try Self.ask(server, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(reply.status == "HTTP/1.1 200 OK")
    #expect(reply.headers["content-length"] == "\(Exposition.prometheus.text(.sample).count)")
    #expect(reply.body.isEmpty)
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK"),
    ("GET /metric HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 Not Found"),
    ("GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 Not Found"),
    ("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 405 Method Not Allowed"),
    ("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"),
    ("\u{1}\u{2}\u{3} is no HTTP\r\n\r\n", "HTTP/1.1 400 Bad Request"),
    ("GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK"),
  ])
  func refusesWhatItDoesNotHave(_ request: String, _ status: String) throws {
    let server = try Server()
    let reply = try Self.ask(server, request)
    #expect(reply.status == status)
    if status.contains("405") { #expect(reply.headers["allow"] == "GET, HEAD") }
  }

  /// Who sends nothing, or half a request, or does not read, does not stay.
  @Test(arguments: ["", "GET /metr", "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"])
  func slowClientsAreSentAway(_ request: String) throws {
    let server = try Server(connectionTime: .milliseconds(50))
    #expect(try Self.exchange(request, try server.connect()) == [])
  }

  @Test func connectionsAreLimited() throws {
    let server = try Server()
    var waiting: [Int32] = []
    defer { for socket in waiting { close(socket) } }
    for _ in 0..<MetricsServer.connectionLimit { waiting.append(try server.connect().release()) }
    // The one above the limit is closed without an answer, and the others stay.
    let refused = try server.connect()
    #expect(Self.readAll(refused.rawValue) == [])
    let first = LinuxIO.FileDescriptor(owning: waiting.removeFirst())
    let reply = try Reply(try Self.exchange("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", first))
    #expect(reply.status == "HTTP/1.1 200 OK")
  }

  @Test func socketFileIsTheServersOwn() throws {
    let server = try Server()
    var status = stat()
    #expect(lstat(server.path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o660)
    let error = #expect(throws: MetricsServerError.self) {
      _ = try MetricsListener(.unix(path: server.path))
    }
    #expect(
      error?.description
        == "metrics cannot be served on unix:\(server.path): another process listens there; choose another address")
    let path = server.path
    _ = consume server
    #expect(lstat(path, &status) != 0, "it goes with the server")
  }

  @Test func servesOverTCPOnLoopback() throws {
    let server = try MetricsServer.start(try MetricsListener(.tcp(host: "127.0.0.1", port: 0))) { .sample }
    defer { server.stop() }
    let port = try #require(server.port)
    let socket = LinuxIO.FileDescriptor(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port)).bigEndian
    address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket.rawValue, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    #expect(result == 0)
    let reply = try Reply(try Self.exchange("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", socket))
    #expect(reply.status == "HTTP/1.1 200 OK")
    let taken = #expect(throws: MetricsServerError.self) {
      _ = try MetricsListener(.tcp(host: "127.0.0.1", port: UInt16(port)))
    }
    #expect(taken?.description.hasSuffix("another process listens there; choose another address") == true)
  }
}
