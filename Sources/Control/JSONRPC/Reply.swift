import FoundationEssentials
import LinuxIO

/// What is answered to messages (JSON-RPC 2.0, section 5).
enum Reply {
  /// Most bytes of the replies to one batch. Requests after that are not done.
  static let batchLimit = 4 << 20

  /// A value as JSON, with the names of objects in order.
  ///
  /// - Throws: `internalError` where it is none, as a number that is not finite.
  static func json(_ value: some Encodable) throws(RPCError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return Array(try encoder.encode(value)) } catch {
      throw RPCError(.internalError, "the reply cannot be written as JSON")
    }
  }

  /// Does what a message asks for.
  ///
  /// - Parameter descriptors: those that came with it.
  /// - Returns: the line to send, with its newline; nil where it had notifications only.
  static func line(to message: IncomingMessage, descriptors: inout ReceivedDescriptors) -> [UInt8]? {
    switch message {
    case .single(let request): return reply(to: request, &descriptors).map { $0 + [UInt8(ascii: "\n")] }
    case .batch(let requests):
      var replies: [UInt8] = []
      for request in requests {
        guard let reply = replies.count < batchLimit ? reply(to: request, &descriptors) : refusal(of: request) else {
          continue
        }
        replies += [UInt8(ascii: replies.isEmpty ? "[" : ",")] + reply
      }
      return replies.isEmpty ? nil : replies + "]\n".utf8
    }
  }

  /// The line that answers what was no request.
  static func line(_ error: RPCError) -> [UInt8] { reply(.null, error: error) + [UInt8(ascii: "\n")] }

  private static func reply(to request: IncomingRequest, _ descriptors: inout ReceivedDescriptors) -> [UInt8]? {
    do throws(RPCError) {
      let result = try request.call.get().run(&descriptors)
      guard let identifier = request.identifier else { return nil }
      return reply(identifier, "result", result)
    } catch {
      guard let identifier = request.identifier else { return nil }
      return reply(identifier, error: error)
    }
  }

  private static func refusal(of request: IncomingRequest) -> [UInt8]? {
    guard let identifier = request.identifier else { return nil }
    return reply(
      identifier,
      error: RPCError(
        .tooLarge,
        "not done: the replies to this batch have more than \(batchLimit) bytes already; ask for less at once"))
  }

  private static func reply(_ identifier: RequestIdentifier, error: RPCError) -> [UInt8] {
    reply(identifier, "error", (try? json(error)) ?? Array(#"{"code":-32603,"message":"internal error"}"#.utf8))
  }

  private static func reply(_ identifier: RequestIdentifier, _ name: String, _ content: [UInt8]) -> [UInt8] {
    let identifier = (try? json(identifier)) ?? Array("null".utf8)
    return Array(#"{"jsonrpc":"2.0","id":"#.utf8) + identifier + Array(#","\#(name)":"#.utf8) + content + "}".utf8
  }
}
