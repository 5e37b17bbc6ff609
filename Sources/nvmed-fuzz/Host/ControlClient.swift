import CFuzzAIO
import Glibc
import LinuxIO

@testable import Control

/// A client of the control socket, in the server's own thread.
final class ControlClient {
  private let server: InlineControlServer
  private let socket: FileDescriptor
  /// What was sent, as far as the socket took it.
  private var sent: [UInt8] = []
  private var hasSentDescriptors = false
  private var received: [UInt8] = []
  /// Clients that were dropped before it came.
  private let droppedBefore: Int

  nonisolated(unsafe) private static let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 8)
  /// Bytes that each end of the socket holds: so few that it is full now and then.
  private static let buffer: Int32 = 4 << 10

  init(_ server: InlineControlServer) {
    self.server = server
    droppedBefore = server.droppedCount
    var numbers: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &numbers) == 0 else {
      fatalError("no socket: \(Errno.current)")
    }
    var size = ControlClient.buffer
    for number in numbers { setsockopt(number, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size)) }
    socket = FileDescriptor(owning: numbers[0])
    server.serve(FileDescriptor(owning: numbers[1]))
  }

  func send(_ bytes: [UInt8], _ descriptors: [Int32], reads: Bool) {
    var count = 0
    if !descriptors.isEmpty { hasSentDescriptors = true }
    defer { sent += bytes[..<count] }
    while count < bytes.count {
      do throws(Errno) {
        count += try UnixSocket.send(
          socket.rawValue, bytes.span.extracting(count...), descriptors: count == 0 ? descriptors : [], wait: false)
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
    let count = recv(socket.rawValue, ControlClient.room.baseAddress, ControlClient.room.count, Int32(MSG_DONTWAIT))
    guard count > 0 else { return false }
    received += ControlClient.room[..<count]
    return true
  }

  /// Sends nothing any more.
  func finish() { shutdown(socket.rawValue, Int32(SHUT_WR)) }

  /// Goes; the server has nothing left of it.
  func end() {
    shutdown(socket.rawValue, Int32(SHUT_RDWR))
    work(reads: false)
    require(server.clientCount == 0, "a client that is gone is still served")
  }

  // MARK: Replies

  private static let newline = UInt8(ascii: "\n")
  private static let reply = Array(#"{"jsonrpc":"2.0","id":"#.utf8)

  /// Every line is JSON, and a reply, and every request that asks for one has it.
  ///
  /// - Parameters:
  ///   - methods: what could be asked for.
  ///   - lineLimit: bytes of a line, after which the server takes no further one.
  ///   - isWhole: whether all replies were taken: else the client may have been dropped in the middle of one.
  func check(_ methods: MethodTable, lineLimit: Int, isWhole: Bool) {
    let isWhole = isWhole && server.droppedCount == droppedBefore
    if !isWhole { received = Array(received[..<(received.lastIndex(of: ControlClient.newline) ?? 0)]) }
    require(!isWhole || received.last ?? ControlClient.newline == ControlClient.newline, "half a reply")
    var replies: [[UInt8]] = []
    for line in received.split(separator: ControlClient.newline) {
      require(JSONGrammar.isValue(Array(line)), "a reply that is not JSON")
      let isBatch = line.first == UInt8(ascii: "[")
      require(line.dropFirst(isBatch ? 1 : 0).starts(with: ControlClient.reply), "a reply that is none")
      replies.append(Array(line))
    }
    checkAnswers(replies, methods, lineLimit: lineLimit, isWhole: isWhole)
  }

  /// Each line that asks for a reply has one, in order, with one element for each request of a batch that asks for it.
  private func checkAnswers(_ replies: [[UInt8]], _ methods: MethodTable, lineLimit: Int, isWhole: Bool) {
    // The last piece is no line.
    let lines = sent.split(separator: ControlClient.newline, omittingEmptySubsequences: false).dropLast()
    let tail = sent.count - (lines.last?.endIndex ?? 0)
    // What ends a connection early: too long a line, too many descriptors.
    let isOrdinary =
      isWhole && !hasSentDescriptors && tail < lineLimit && lines.allSatisfy { $0.count < lineLimit }
    var next = 0
    for line in lines where line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }) {
      let wanted = ControlClient.beginnings(of: Array(line), methods)
      if wanted.isEmpty { continue }
      defer { next += 1 }
      guard isOrdinary else { continue }
      require(next < replies.count, "a request has no reply")
      for beginning in wanted {
        require(ControlClient.count(beginning, in: replies[next]) > 0, "a request has the reply to another")
      }
      require(
        ControlClient.count(ControlClient.reply, in: replies[next]) == wanted.count, "a batch has too many replies")
    }
    // One more says why the connection ends.
    require(replies.count <= next + (isOrdinary ? 0 : 1), "a reply to no request")
  }

  /// What the replies to a line begin with.
  private static func beginnings(of line: [UInt8], _ methods: MethodTable) -> [[UInt8]] {
    let requests: [IncomingRequest]
    do throws(RPCError) {
      switch try IncomingMessage(line, methods: methods) {
      case .single(let request): requests = [request]
      case .batch(let batch): requests = batch
      }
    } catch { return [reply + Array("null".utf8)] }
    return requests.compactMap { $0.identifier }.map { reply + ((try? Reply.json($0)) ?? []) }
  }

  private static func count(_ pattern: [UInt8], in bytes: [UInt8]) -> Int {
    fuzz_count(bytes, bytes.count, pattern, pattern.count)
  }
}
