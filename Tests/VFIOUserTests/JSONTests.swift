import LinuxIO
import Testing

@testable import VFIOUser

@Suite struct JSONTests {
  private func parse(_ text: String) throws(Errno) -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

  @Test func readsEveryKindOfValue() throws {
    let text =
      " {\"a\" : 1,\"b\":true,\"c\":false,\n\"d\":null,\"e\":\"x\",\t\"f\":[1, [], {}],\"g\":{\"h\":0},\"\":-1}\r\n"
    #expect(
      try parse(text)
        == .object([
          "a": .unsigned(1), "b": .bool(true), "c": .bool(false), "d": .null, "e": .string, "f": .array,
          "g": .object(["h": .unsigned(0)]), "": .otherNumber,
        ]))
  }

  @Test(
    arguments: [
      ("0", .unsigned(0)), ("65535", .unsigned(65535)), ("18446744073709551615", .unsigned(.max)),
      ("18446744073709551616", .otherNumber), ("99999999999999999999999999", .otherNumber), ("-0", .otherNumber),
      ("-1", .otherNumber), ("1.0", .otherNumber), ("1e3", .otherNumber), ("1E+3", .otherNumber),
      ("0.5e-3", .otherNumber),
      ("1e99999", .otherNumber),
    ] as [(String, JSONValue)]) func onlyUnsignedIntegersAreNumbersOfUse(text: String, value: JSONValue) throws
  {
    #expect(try parse(text) == value)
  }

  @Test(arguments: [
    "", " ", "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":1 \"b\":2}", "{a:1}", "{'a':1}", "{1:1}",
    "[",
    "[1", "[1,]", "[,1]", "[1 2]", "]", "{\"a\":1]", "[1}", "01", "00", "-", "+1", ".5", "1.", "1.e1", "1e", "1e+",
    "0x10",
    "1_000", "tru", "True", "nul", "NaN", "Infinity", "-Infinity", "true false", "1 1", "{}{}", "{} x", "\"", "\"a",
    "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\uD800\"", "\"\\uD800x\"", "\"\\uD800\\u0041\"", "\"\\uDC00\"",
    "\"\u{1}\"", "\"\n\"", "\"\t\"", "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}",
    "{\"x\":{\"a\":1,\"b\":2,\"a\":3}}",
    "/* */ {}", "{}\0", "\0", "\u{feff}{}",
  ]) func refusesWhatIsNoJSON(text: String) {
    #expect(throws: Errno.invalidArgument) { try parse(text) }
  }

  @Test func namesAreComparedAfterTheirEscapes() throws {
    let text = "{\"m\\u0061x\":1,\"\\\"\\\\\\/\\b\\f\\n\\r\\t\":2,\"\\uD83D\\uDE00\":3}"
    #expect(
      try parse(text) == .object(["max": .unsigned(1), "\"\\/\u{8}\u{c}\n\r\t": .unsigned(2), "😀": .unsigned(3)]))
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    func objects(_ depth: Int) -> String {
      String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
    }
    #expect(try parse(nested(8)) == .array)
    #expect(throws: Errno.invalidArgument) { try parse(nested(9)) }
    #expect(throws: Errno.invalidArgument) { try parse(nested(100_000)) }
    #expect(throws: Errno.invalidArgument) { try parse(String(repeating: "[", count: 4000)) }
    _ = try parse(objects(8))
    #expect(throws: Errno.invalidArgument) { try parse(objects(9)) }
  }

  @Test(
    arguments: [
      [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22],
      [0x22, 0xe2, 0x82, 0x22], [0x80],
    ] as [[UInt8]]) func refusesWhatIsNoUTF8(text: [UInt8])
  {
    #expect(throws: Errno.invalidArgument) { try JSONValue(parsing: text) }
  }

  @Test func everyCutOfATextIsRefused() {
    let text = Array(qemuJSON.utf8)
    for count in 0..<text.count {
      #expect(throws: Errno.invalidArgument) { try JSONValue(parsing: Array(text[..<count])) }
    }
  }
}
