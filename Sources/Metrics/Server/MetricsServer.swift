import Glibc
import LinuxIO
import NIOCore
import NIOHTTP1
import NIOPosix

/// Serves metrics to scrapers over HTTP/1.1: `GET /metrics`, one request for each connection.
///
/// One thread of its own, which sleeps in epoll as long as nobody asks; it holds a timer only while a connection is open.
public final class MetricsServer: Sendable {
  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel
  /// The socket file, which goes when this does.
  private let listener: UnixListenerBox?

  /// Connections at a time; further ones are closed at once.
  static let connectionLimit = 16
  /// Seconds that a connection may take, from its beginning to its end.
  static let connectionTime = TimeAmount.seconds(10)

  private final class UnixListenerBox: Sendable {
    let listener: UnixListener
    init(_ listener: consuming UnixListener) { self.listener = listener }
  }

  private init(
    _ group: MultiThreadedEventLoopGroup, _ channel: any Channel, _ listener: UnixListenerBox?
  ) {
    self.group = group
    self.channel = channel
    self.listener = listener
  }

  /// Begins to serve.
  ///
  /// - Parameters:
  ///   - address: where.
  ///   - connectionTime: how long a connection may take; nil: 10 s.
  ///   - snapshot: what there is to say; called on the server's thread for each request.
  /// - Throws: why that is not possible.
  public static func start(
    _ address: MetricsAddress, snapshot: @escaping @Sendable () -> MetricsSnapshot
  ) throws(MetricsServerError) -> MetricsServer {
    try start(address, connectionTime: connectionTime, snapshot: snapshot)
  }

  static func start(
    _ address: MetricsAddress, connectionTime: TimeAmount, snapshot: @escaping @Sendable () -> MetricsSnapshot
  ) throws(MetricsServerError) -> MetricsServer {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let connections = ConnectionCount()
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 16)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
          try channel.pipeline.syncOperations.addHandler(
            ScrapeHandler(connections: connections, time: connectionTime, snapshot: snapshot))
        }
      }
    var listener: UnixListenerBox?
    do {
      let channel: any Channel
      switch address {
      case .tcp(let host, let port):
        channel = try bootstrap.bind(to: try SocketAddress(ipAddress: host, port: Int(port))).wait()
      case .unix(let path):
        let box = UnixListenerBox(try UnixListener(path: path, mode: 0o660))
        listener = box
        let socket = try box.listener.descriptor.duplicate()
        channel = try bootstrap.withBoundSocket(socket.release()).wait()
      }
      return MetricsServer(group, channel, listener)
    } catch {
      MetricsServer.end(group)
      let reason = error as? Errno ?? (error as? IOError).map { Errno(rawValue: $0.errnoCode) }
      throw MetricsServerError(address, reason ?? Errno(rawValue: EINVAL))
    }
  }

  /// The TCP port that it listens on; nil for a unix socket.
  var port: Int? { channel.localAddress?.port }

  /// Ends: open connections are closed. Returns when the thread has ended.
  public func stop() {
    try? channel.close().wait()
    MetricsServer.end(group)
  }

  private static func end(_ group: MultiThreadedEventLoopGroup) { try? group.syncShutdownGracefully() }
}
