import NIOCore
import NIOHTTP1

/// How many connections are open. The event loop's thread alone.
final class ConnectionCount: @unchecked Sendable {
  var count = 0
}

/// One connection of a scraper: one request, one answer, and its end.
final class ScrapeHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let connections: ConnectionCount
  private let time: TimeAmount
  private let snapshot: @Sendable () -> MetricsSnapshot
  private var request: HTTPRequestHead?
  private var isAnswered = false
  private var deadline: Scheduled<Void>?

  init(connections: ConnectionCount, time: TimeAmount, snapshot: @escaping @Sendable () -> MetricsSnapshot) {
    self.connections = connections
    self.time = time
    self.snapshot = snapshot
  }

  func channelActive(context: ChannelHandlerContext) {
    connections.count += 1
    let channel = context.channel
    guard connections.count <= MetricsServer.connectionLimit else {
      channel.close(promise: nil)
      return
    }
    // However slowly it sends or reads, it does not stay longer than this.
    deadline = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    connections.count -= 1
    deadline?.cancel()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head) where request == nil: request = head
    case .end: answer(context)
    default: break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // What is no HTTP has been answered with 400 by the pipeline.
    context.close(promise: nil)
  }

  private func answer(_ context: ChannelHandlerContext) {
    guard let request, !isAnswered else { return }
    isAnswered = true
    let path = request.uri.prefix { $0 != "?" }
    guard request.method == .GET || request.method == .HEAD else {
      return reply(context, .methodNotAllowed, "only GET and HEAD\n", [("allow", "GET, HEAD")])
    }
    switch path {
    case "/metrics":
      let exposition = Exposition(accept: request.headers["accept"].joined(separator: ","))
      reply(
        context, .ok, exposition.text(snapshot()), [("content-type", exposition.contentType)],
        hasBody: request.method == .GET)
    case "/": reply(context, .ok, "nvmed: /metrics\n", [], hasBody: request.method == .GET)
    default: reply(context, .notFound, "/metrics is here\n", [], hasBody: request.method == .GET)
    }
  }

  private func reply(
    _ context: ChannelHandlerContext, _ status: HTTPResponseStatus, _ text: String, _ headers: [(String, String)],
    hasBody: Bool = true
  ) {
    reply(
      context, status, Array(text.utf8), headers + [("content-type", "text/plain; charset=utf-8")], hasBody: hasBody)
  }

  private func reply(
    _ context: ChannelHandlerContext, _ status: HTTPResponseStatus, _ body: [UInt8], _ headers: [(String, String)],
    hasBody: Bool
  ) {
    var head = HTTPResponseHead(version: .http1_1, status: status)
    for (name, value) in headers { head.headers.add(name: name, value: value) }
    head.headers.add(name: "content-length", value: "\(body.count)")
    head.headers.add(name: "connection", value: "close")
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if hasBody {
      context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: body)))), promise: nil)
    }
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
  }
}
