import Testing

@testable import Control

/// What is answered, byte for byte (JSON-RPC 2.0, sections 4 to 7).
@Suite struct ReplyTests {
  private let methods: TestMethods

  init() throws { methods = try TestMethods() }

  @Test(arguments: [
    (#"{"jsonrpc":"2.0","method":"sum","params":{"left":1,"right":2},"id":7}"#, #""id":7,"result":3"#),
    (#"{"id":"a\"b","params":{"left":1},"method":"sum","jsonrpc":"2.0"}"#, #""id":"a\"b","result":1"#),
    (#" {"jsonrpc":"2.0","method":"sum","params":{"left":1,"right":null},"id":null} "#, #""id":null,"result":1"#),
    (#"{"jsonrpc":"2.0","method":"count","id":-9223372036854775808}"#, #""id":-9223372036854775808,"result":1"#),
    (#"{"jsonrpc":"2.0","method":"count","params":{},"id":1.5}"#, #""id":1.5,"result":1"#),
    (
      #"{"jsonrpc":"2.0","method":"echo","params":{"value":{"b":[null,true,1,18446744073709551615,"/ü"],"a":{}}},"id":1}"#,
      #""id":1,"result":{"a":{},"b":[null,true,1,18446744073709551615,"/ü"]}"#
    ),
  ])
  func repliesWithTheResult(_ request: String, _ reply: String) {
    #expect(answer(request, methods) == "{\"jsonrpc\":\"2.0\",\(reply)}\n")
  }

  @Test func answersNoNotification() {
    #expect(answer(#"{"jsonrpc":"2.0","method":"count"}"#, methods) == nil)
    #expect(methods.calls.withLock { $0 } == 1)
    #expect(answer(#"{"jsonrpc":"2.0","method":"unknown"}"#, methods) == nil)
    #expect(answer(#"{"jsonrpc":"2.0","method":"sum","params":{"left":"x"}}"#, methods) == nil)
    #expect(answer(#"[{"jsonrpc":"2.0","method":"count"},{"jsonrpc":"2.0","method":"count"}]"#, methods) == nil)
    #expect(methods.calls.withLock { $0 } == 3)
  }

  /// The code, and a part of the message.
  @Test(arguments: [
    (#"{"jsonrpc":"2.0","method":"none","id":1}"#, -32_601, 1, "no method 'none'"),
    (#"{"jsonrpc":"2.0","method":"sum","id":2}"#, -32_602, 2, "parameter 'left': is missing; write an integer"),
    (
      #"{"jsonrpc":"2.0","method":"sum","params":{"left":"1"},"id":3}"#, -32_602, 3,
      "parameter 'left': is of another type; write an integer"
    ),
    (#"{"jsonrpc":"2.0","method":"sum","params":{"left":null},"id":3}"#, -32_602, 3, "parameter 'left': is null"),
    (#"{"jsonrpc":"2.0","method":"sum","params":{"left":1e40},"id":4}"#, -32_602, 4, "number is too large"),
    (#"{"jsonrpc":"2.0","method":"sum","params":{"left":1.5},"id":4}"#, -32_602, 4, "has a fraction"),
    (
      #"{"jsonrpc":"2.0","method":"sum","params":{"left":1,"reft":2},"id":5}"#, -32_602, 5,
      "unknown parameter 'reft'; the method takes 'left', 'right'"
    ),
    (#"{"jsonrpc":"2.0","method":"count","params":{"x":1},"id":5}"#, -32_602, 5, "the method takes none"),
    (#"{"jsonrpc":"2.0","method":"sum","params":[1,2],"id":6}"#, -32_602, 6, "must be an object"),
    (#"{"jsonrpc":"2.0","method":"sum","params":5,"id":6}"#, -32_602, 6, "must be an object"),
    (#"{"jsonrpc":"2.0","method":"nothing","id":8}"#, -32_603, 8, "cannot be written as JSON"),
    (
      #"{"jsonrpc":"2.0","method":"sum","params":{"left":9223372036854775807,"right":1},"id":9}"#, -32_000, 9,
      #"the sum is too large"#
    ),
    (#"{"jsonrpc":"1.0","method":"count","id":1}"#, -32_600, 1, "'jsonrpc' must be"),
    (#"{"method":"count","id":1}"#, -32_600, 1, "'jsonrpc' must be"),
    (#"{"jsonrpc":2.0,"method":"count","id":1}"#, -32_600, 1, "'jsonrpc' must be"),
    (#"{"jsonrpc":"2.0","id":1}"#, -32_600, 1, "'method' must be a string"),
    (#"{"jsonrpc":"2.0","method":1,"id":1}"#, -32_600, 1, "'method' must be a string"),
  ])
  func refuses(_ request: String, _ code: Int, _ identifier: Int, _ text: String) throws {
    let reply = try #require(answer(request, methods))
    #expect(reply.hasPrefix(#"{"jsonrpc":"2.0","id":\#(identifier),"error":{"code":\#(code),"#), "\(reply)")
    #expect(reply.contains(text), "\(reply)")
    #expect(methods.calls.withLock { $0 } == 0)
  }

  /// What is no request has the id null: it is not known for whose.
  @Test(arguments: ["1", "\"x\"", "null", "true", "[]", "{}", "[1,2]", #"{"jsonrpc":"2.0","method":1}"#])
  func refusesWhatIsNoRequest(_ text: String) throws {
    let reply = try #require(answer(text, methods))
    #expect(reply.contains(#""id":null,"error":{"code":-32600,"#), "\(reply)")
  }

  @Test(arguments: ["true", "[]", "{}", "1e400", "9007199254740993000", "99999999999999999999999"])
  func refusesIdentifiersThatCannotBeRepeated(_ identifier: String) throws {
    let reply = try #require(answer(#"{"jsonrpc":"2.0","method":"count","id":\#(identifier)}"#, methods))
    if identifier == "9007199254740993000" {
      #expect(reply == #"{"jsonrpc":"2.0","id":9007199254740993000,"result":1}"# + "\n")
    } else {
      #expect(reply.hasPrefix(#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"#), "\(reply)")
    }
  }

  @Test func givesEveryReason() throws {
    let reply = try #require(
      answer(#"{"jsonrpc":"2.0","method":"sum","params":{"left":9223372036854775807,"right":1},"id":9}"#, methods))
    #expect(
      reply == #"{"jsonrpc":"2.0","id":9,"error":{"code":-32000,"data":{"reasons":["left","right"]},"#
        + #""message":"the sum is too large"}}"# + "\n")
  }

  // MARK: Batches

  @Test func answersABatchInItsOrder() throws {
    let batch = """
      [{"jsonrpc":"2.0","method":"count","id":"a"},{"jsonrpc":"2.0","method":"count"},7,
      {"jsonrpc":"2.0","method":"none","id":2},{"jsonrpc":"2.0","method":"count","id":3}]
      """
    let line = batch.split(separator: "\n").joined()
    let reply = try #require(answer(line, methods))
    #expect(
      reply.hasPrefix(#"[{"jsonrpc":"2.0","id":"a","result":1},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"#))
    #expect(reply.contains(#",{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"#))
    #expect(reply.hasSuffix(#",{"jsonrpc":"2.0","id":3,"result":3}]"# + "\n"))
  }

  @Test func refusesALargeBatchAsAWhole() throws {
    let request = #"{"jsonrpc":"2.0","method":"count","id":1}"#
    let whole = try #require(
      answer("[" + Array(repeating: request, count: IncomingMessage.batchLimit).joined(separator: ",") + "]", methods))
    #expect(whole.split(separator: "}").count == IncomingMessage.batchLimit + 1)
    for count in [IncomingMessage.batchLimit + 1, 10_000] {
      let reply = try #require(
        answer("[" + Array(repeating: request, count: count).joined(separator: ",") + "]", methods))
      #expect(reply.hasPrefix(#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"#), "\(reply)")
    }
    #expect(methods.calls.withLock { $0 } == IncomingMessage.batchLimit)
  }

  /// Requests for which there is no room in the reply are not done.
  @Test func boundsTheReplyToABatch() throws {
    let long = #"{"jsonrpc":"2.0","method":"long","params":{"bytes":1048576},"id":1}"#
    let count = #"{"jsonrpc":"2.0","method":"count","id":2}"#
    let batch = "[" + (Array(repeating: long, count: 100) + [count]).joined(separator: ",") + "]"
    let reply = try #require(answer(batch, methods))
    #expect(reply.utf8.count < Reply.batchLimit + (2 << 20))
    #expect(reply.contains(#""id":2,"error":{"code":-32004,"#))
    #expect(methods.calls.withLock { $0 } == 0)
  }
}
