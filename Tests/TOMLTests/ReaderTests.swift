import TOML
import Testing

/// The language, section by section of the specification.
@Suite struct ReaderTests {
  @Test(arguments: ValidTexts.all.map(\.text).indices)
  func valid(_ index: Int) {
    let (text, notation) = ValidTexts.all[index]
    #expect(Array(reading(text.utf8).utf8) == Array(notation.utf8), "\(text.debugDescription)")
  }

  @Test(arguments: InvalidTexts.all.map(\.text).indices)
  func invalid(_ index: Int) {
    let (text, error) = InvalidTexts.all[index]
    #expect(reading(text.utf8) == error, "\(text.debugDescription)")
  }

  /// What is no UTF-8 is refused wherever it stands, with its place (RFC 3629, section 4).
  @Test(
    arguments: [
      [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc2, 0x41], [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf],
      [0xe2, 0x82], [0xe2, 0x82, 0x41], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80],
      [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x9f, 0x98], [0xf0, 0x9f, 0x98, 0x41], [0xf4, 0x90, 0x80, 0x80],
      [0xf5, 0x80, 0x80, 0x80], [0xfe], [0xff, 0xfe],
    ] as [[UInt8]])
  func notUTF8(_ bytes: [UInt8]) {
    let places: [(before: String, column: Int)] = [
      ("# ä", 4), ("a = \"ä", 7), ("a = 'ä", 7), ("a = \"\"\"ä", 9), ("a = '''ä", 9), ("\"ä", 3), ("", 1), ("a = 1", 6),
      ("[", 2), ("a", 2),
    ]
    for (before, column) in places {
      #expect(reading(Array(before.utf8) + bytes) == "1:\(column): bytes that are not UTF-8", "\(before)")
      #expect(reading(Array(before.utf8) + bytes + [0x0a]) == "1:\(column): bytes that are not UTF-8", "\(before)")
    }
  }

  /// The first and last character of every length.
  @Test func everyLengthOfUTF8() {
    let text = "\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}"
    #expect(reading("a = \"\(text)\" # \(text)".utf8) == "{\"a\": \"\(text)\"}")
  }

  @Test func aByteOrderMarkIsSkippedOnce() {
    #expect(reading("\u{feff}a = 1".utf8) == "{\"a\": 1}")
    #expect(reading("\u{feff}".utf8) == "{}")
    #expect(reading("\u{feff}!".utf8) == "1:1: expected a key, a header or a comment, found '!'")
  }

  @Test func fractionsAreCutAndSecondsMayBeLeap() {
    #expect(reading("a = 07:32:00.1234567899".utf8) == "{\"a\": 07:32:00.123456789}")
    #expect(reading("a = 1990-12-31T23:59:60Z".utf8) == "{\"a\": 1990-12-31T23:59:60+00:00}")
    #expect(reading("a = 0000-01-01".utf8) == "{\"a\": 0000-01-01}")
  }

  @Test func keysAreFoundByTheirCharacters() throws {
    let document = try TOMLNode.document(Array("\"\u{e9}\" = 1\n\"e\u{301}\" = 2\nb = 3".utf8))
    guard case .table(let table) = document.content else { return }
    #expect(table["\u{e9}"]?.content == .integer(1))
    #expect(table["e\u{301}"]?.content == .integer(2))
    #expect(table["b"]?.content == .integer(3))
    #expect(table["c"] == nil)
    #expect(table.keys.count == 3)
  }

  @Test func typesHaveNames() throws {
    let text = "a = ''\nb = 1\nc = true\nd = 1.5\ne = 07:32:00\nf = []\ng = {}"
    guard case .table(let table) = try TOMLNode.document(Array(text.utf8)).content else { return }
    #expect(
      table.members.map(\.node.typeName) == [
        "a string", "an integer", "a boolean", "a floating-point number", "a date or time", "an array", "a table",
      ])
  }
}
