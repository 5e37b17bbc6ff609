import TOML
import Testing

/// What no text may exceed: one more is an error with its place.
@Suite struct LimitsTests {
  private func limits(_ change: (inout TOMLLimits) -> Void) -> TOMLLimits {
    var limits = TOMLLimits()
    change(&limits)
    return limits
  }

  private func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

  @Test func bytes() {
    #expect(reading(repeated("\n", 1 << 20).utf8) == "{}")
    #expect(reading(repeated("\n", 1 << 20 + 1).utf8) == "1:1: a text of more than 1048576 bytes")
  }

  @Test(arguments: [16, 100_000])
  func partsOfAKey(_ dots: Int) {
    let long = repeated("a.", dots) + "a"
    for (text, column) in [("\(long) = 1", 1), ("[\(long)]", 2), ("[[\(long)]]", 3), ("b = [{ \(long) = 1 }]", 8)] {
      #expect(reading("\n\(text)".utf8) == "2:\(column): a key of more than 16 parts")
    }
    #expect(reading((repeated("a.", 15) + "a = 1").utf8).hasPrefix("{\"a\": {\"a\": "))
  }

  @Test func bytesOfAKey() {
    let key = repeated("k", 1024)
    #expect(reading("\(key) = 1".utf8) == "{\"\(key)\": 1}")
    for long in ["\(key)k", "\"\(key)k\"", "'\(key)k'"] {
      #expect(reading("a.\(long) = 1".utf8) == "1:3: a key of more than 1024 bytes")
    }
  }

  @Test func depth() {
    // A value of a key of the document is one deep.
    #expect(reading("a = \(repeated("[", 128))\(repeated("]", 128))".utf8).hasPrefix("{\"a\": [[["))
    #expect(reading("a = \(repeated("[", 129))".utf8) == "1:133: values nested more than 128 deep")
    #expect(reading("a = \(repeated("[", 200_000))".utf8) == "1:133: values nested more than 128 deep")
    #expect(reading("a = \(repeated("{a=", 200_000))".utf8) == "1:389: values nested more than 128 deep")
    #expect(reading("[a.b]\nc.d = \(repeated("[", 126))".utf8) == "2:132: values nested more than 128 deep")
  }

  /// Headers lead through the last elements of arrays of tables, to any depth.
  @Test func depthOfHeaders() {
    let limits = limits { $0.depth = 8 }
    #expect(reading("[[a]]\n[[a.b]]\n[[a.b.c]]\n[[a.b.c.d]]".utf8, limits: limits).hasPrefix("{\"a\": [{\"b\": "))
    #expect(
      reading("[[a]]\n[[a.b]]\n[[a.b.c]]\n[[a.b.c.d]]\nx = 1".utf8, limits: limits)
        == "5:5: values nested more than 8 deep")
  }

  @Test func values() {
    let limits = limits { $0.nodes = 10 }
    #expect(reading("a = [1, 2, 3, 4, 5, 6, 7, 8, 9]".utf8, limits: limits) == "{\"a\": [1, 2, 3, 4, 5, 6, 7, 8, 9]}")
    #expect(reading("a = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]".utf8, limits: limits) == "1:33: more than 10 values")
    #expect(reading(repeated("[[a]]\n", 10).utf8, limits: limits) == "10:1: more than 10 values")
    #expect(reading("a = [\(repeated("1,", 500_000))]".utf8) == "1:200004: more than 100000 values")
  }

  @Test(arguments: [
    ("a = \"x\\u0000\"", "1:7"), ("a = 1\n\"x\\U00000000\" = 1", "2:3"), ("a = \"\"\"\n\\u0000\"\"\"", "2:1"),
  ])
  func nul(_ text: String, _ place: String) {
    #expect(reading(text.utf8, limits: limits { $0.allowsNUL = false }) == "\(place): an escape of U+0000")
    #expect(reading(text.utf8).hasPrefix("{"))
  }

  @Test(arguments: ["a = '\\u0000'", "a = \"\\\\u0000\"", "a = \"\\u0001\"", "# \\u0000"])
  func otherTextsHaveNoNul(_ text: String) {
    #expect(reading(text.utf8, limits: limits { $0.allowsNUL = false }).hasPrefix("{"))
  }

  /// Errors name what they are about, in one line, however long or odd that is.
  @Test func errorsAreShortAndPlain() {
    let long = repeated("x", 500_000)
    #expect(reading("a = \(long)".utf8) == "1:5: '\(repeated("x", 40))...' is no value")
    #expect(
      reading("\"a\\nb\\u202e\" = 1\n\"a\\nb\\u202e\" = 2".utf8)
        == "2:1: 'aU+000AbU+202E' has a value in line 1 already")
    #expect(reading("a = \u{202e}x".utf8) == "1:5: 'U+202Ex' is no value")
    #expect(reading("a \u{301}".utf8) == "1:3: expected '=', found U+0301")
  }
}
