import Testing

@testable import Control

/// Lines that no client of good will sends.
@Suite struct HostileInputTests {
  private let methods: TestMethods

  init() throws { methods = try TestMethods() }

  private func expectParseError(_ line: [UInt8], _ comment: String) throws {
    let reply = try #require(answer(line, methods))
    #expect(reply.hasPrefix(#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"#), "\(comment): \(reply)")
  }

  @Test(arguments: [
    "{", "}", "[", "]", "[1,]", "{\"a\"}", "{'a':1}", "nul", "NaN", "[NaN]", "Infinity", "-", "01", "1.", ".5", "+1",
    "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"a", "// x", "{}{}", "{} x", "GET / HTTP/1.1", "\u{feff}{}",
    "\"\\udc00\"", "\"\\ud800\\u0020\"", "00", "1e", "1e+", "-a", "[01]", "{\"id\":1,\"x\":01}", "{\"x\":\"\\q\"}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"count\",\"id\":1,}", "[1 2]", "{\"a\":1 \"b\":2}",
  ])
  func refusesWhatIsNoJSON(_ text: String) throws { try expectParseError(Array(text.utf8), text) }

  @Test(arguments: [
    "\"\\ud83d\\ude00\\u00e9\\/\\b\\f\\n\\r\\t\\\"\\\\\"", "-0", "0.5e-3", "1E+2", " [ ] ",
    "{ \"a\" : [ null , true , false ] }",
    "\t\r\"\u{7f}\"",
  ])
  func takesAllThatIsJSON(_ text: String) { #expect(JSONGrammar.isValue(Array(text.utf8))) }

  @Test func refusesBytesThatAreNoText() throws {
    try expectParseError([0xff, 0xfe, 0x31, 0x00], "UTF-16 with its mark")
    try expectParseError([0x31, 0x00], "UTF-16 without it")
    try expectParseError([0x22, 0xc3, 0x28, 0x22], "no UTF-8")
    try expectParseError([0x22, 0xed, 0xa0, 0x80, 0x22], "half of a pair")
    try expectParseError([0x22, 0xc0, 0x80, 0x22], "an overlong NUL")
    try expectParseError([0x22, 0x01, 0x22], "a control character")
    try expectParseError([0x00], "NUL")
  }

  /// Every beginning of a request, and a request with any one byte changed, has an answer or is a notification.
  @Test func survivesEveryPieceOfARequest() {
    let request = Array(#"{"jsonrpc":"2.0","method":"echo","params":{"value":["é",-1.5e3,null]},"id":"x"}"#.utf8)
    for end in 0..<request.count {
      let reply = answer(Array(request[..<end]), methods)
      #expect(reply?.contains(#""code":-32700"#) == true, "\(end) bytes")
    }
    for index in request.indices {
      for byte in [0x00, 0x22, 0x2c, 0x30, 0x5b, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xff] as [UInt8] {
        var changed = request
        changed[index] = byte
        let reply = answer(changed, methods)
        #expect(reply == nil || reply?.hasPrefix(#"{"jsonrpc":"2.0","id":"#) == true, "\(index): \(byte)")
      }
    }
  }

  @Test func boundsTheDepth() throws {
    func request(_ depth: Int) -> String {
      let value = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      return #"{"jsonrpc":"2.0","method":"echo","params":{"value":\#(value)},"id":1}"#
    }
    #expect(answer(request(32), methods)?.contains("\"result\"") == true)
    #expect(answer(request(100), methods)?.contains(#""code":-32602"#) == true)
    for depth in [129, 600, 10_000, 500_000] {
      #expect(answer(request(depth), methods)?.contains(#""code":-32700"#) == true, "\(depth)")
      let text = String(repeating: "[", count: depth)
      #expect(answer(text, methods)?.contains(#""code":-32700"#) == true, "\(depth)")
      let objects = String(repeating: #"{"a":"#, count: depth)
      #expect(answer(objects, methods)?.contains(#""code":-32700"#) == true, "\(depth)")
    }
  }

  /// 1 MiB of small values is refused before each of them is looked at.
  @Test func boundsTheValues() throws {
    let values = "[" + Array(repeating: "{}", count: 300_000).joined(separator: ",") + "]"
    let reply = try #require(
      answer(#"{"jsonrpc":"2.0","method":"echo","params":{"value":\#(values)},"id":1}"#, methods))
    #expect(reply.contains(#""code":-32602"#))
    #expect(reply.contains("too many values"))
    let few = "[" + Array(repeating: "1", count: 5000).joined(separator: ",") + "]"
    #expect(
      answer(#"{"jsonrpc":"2.0","method":"echo","params":{"value":\#(few)},"id":1}"#, methods)?
        .contains(#""result":[1,1"#) == true)
  }

  @Test func ignoresLargeNumbersThatNobodyAskedFor() {
    let digits = String(repeating: "9", count: 100_000)
    let reply = answer(#"{"jsonrpc":"2.0","method":"count","extra":\#(digits),"id":1}"#, methods)
    #expect(reply == #"{"jsonrpc":"2.0","id":1,"result":1}"# + "\n")
    #expect(
      answer(#"{"jsonrpc":"2.0","method":"echo","params":{"value":\#(digits)},"id":1}"#, methods)?
        .contains("\"error\"") == true)
  }

  /// Of a name that occurs twice one value counts, and only one.
  @Test func takesOneOfTwoEqualNames() throws {
    let reply = try #require(
      answer(#"{"jsonrpc":"2.0","method":"sum","params":{"left":1,"left":2},"id":1,"id":2}"#, methods))
    #expect(
      [#"{"jsonrpc":"2.0","id":1,"result":1}"#, #"{"jsonrpc":"2.0","id":2,"result":2}"#].contains {
        reply == $0 + "\n"
      }, "\(reply)")
  }

  @Test func cutsLongNamesInMessages() throws {
    let name = String(repeating: "m", count: 1_000_000)
    let reply = try #require(answer(#"{"jsonrpc":"2.0","method":"\#(name)","id":1}"#, methods))
    #expect(reply.utf8.count < 300)
    let parameter = try #require(answer(#"{"jsonrpc":"2.0","method":"sum","params":{"\#(name)":1},"id":1}"#, methods))
    #expect(parameter.utf8.count < 300)
  }
}
