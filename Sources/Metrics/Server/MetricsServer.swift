import Glibc
import LinuxIO
import NIOCore
import NIOHTTP1
import NIOPosix

/// Serves metrics to scrapers over HTTP/1.1: `GET /metrics`, one request for each connection.
///
/// One thread for all servers of the process, which sleeps in epoll as long as nobody asks; it holds a timer only while a
/// connection is open.
public final class MetricsServer: Sendable {
  /// Lives as long as the process: SwiftNIO ends a group by threads of libdispatch, which complain to the journal of
  /// priorities that a process without capabilities cannot have.
  private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  private let channel: any Channel
  private let listener: MetricsListener

  /// Connections at a time; further ones are closed at once.
  static let connectionLimit = 16
  /// Seconds that a connection may take, from its beginning to its end.
  static let connectionTime = TimeAmount.seconds(10)

  private init(_ channel: any Channel, _ listener: consuming MetricsListener) {
    self.channel = channel
    self.listener = listener
  }

  /// Begins to answer those who connect.
  ///
  /// - Parameters:
  ///   - listener: where.
  ///   - snapshot: what there is to say; called on the server's thread for each request.
  /// - Throws: why that is not possible.
  public static func start(
    _ listener: consuming MetricsListener, snapshot: @escaping @Sendable () -> MetricsSnapshot
  ) throws(MetricsServerError) -> MetricsServer {
    try start(listener, connectionTime: connectionTime, snapshot: snapshot)
  }

  static func start(
    _ listener: consuming MetricsListener, connectionTime: TimeAmount,
    snapshot: @escaping @Sendable () -> MetricsSnapshot
  ) throws(MetricsServerError) -> MetricsServer {
    let address = listener.address
    let socket: Int32
    do throws(Errno) { socket = try listener.duplicate() } catch { throw MetricsServerError(address, error) }
    let connections = ConnectionCount()
    let bootstrap = ServerBootstrap(group: group)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
          try channel.pipeline.syncOperations.addHandler(
            ScrapeHandler(connections: connections, time: connectionTime, snapshot: snapshot))
        }
      }
    do {
      return MetricsServer(try bootstrap.withBoundSocket(socket).wait(), listener)
    } catch {
      throw MetricsServerError(address, (error as? IOError).map { Errno(rawValue: $0.errnoCode) } ?? .invalidArgument)
    }
  }

  /// The TCP port that it listens on; nil for a unix socket.
  var port: Int? { channel.localAddress?.port }

  /// Ends: nobody can connect any more. What is open has its answer, within `connectionTime`.
  public func stop() { try? channel.close().wait() }
}
