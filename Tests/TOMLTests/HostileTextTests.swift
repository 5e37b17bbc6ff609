import TOML
import Testing

/// Any bytes at all: the reader comes to an end, and to the same end each time.
@Suite struct HostileTextTests {
  /// Numbers that are the same in every run (SplitMix64).
  private struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var value = state
      value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
      value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
      return value ^ (value >> 31)
    }
  }

  private static let words = [
    "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\"\"\"", "'''", "\n", "\r\n", "\r", " ", "\t", "#", "\\",
    "\\u", "\\U0010FFFF", "\\ud800", "a", "b.c", "1", "0x", "_", "-", "+", "e", "inf", "nan", "true", "1979-05-27",
    "07:32:00", "Z", "\u{feff}", "é", "\0", "[a]\n", "[[a]]\n", "a = 1\n",
  ].map { Array($0.utf8) }

  private static let texts = ValidTexts.all.map { Array($0.text.utf8) }

  private func mutation(_ random: inout Random) -> [UInt8] {
    let texts = HostileTextTests.texts
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      bytes += texts[Int.random(in: 0..<texts.count, using: &random)] + [0x0a]
    }
    for _ in 0..<Int.random(in: 1...12, using: &random) {
      let place = Int.random(in: 0...bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0...4, using: &random)))
      case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
      case 2: bytes = Array(bytes.prefix(place))
      default:
        let word = HostileTextTests.words[Int.random(in: 0..<HostileTextTests.words.count, using: &random)]
        bytes.insert(contentsOf: word, at: place)
      }
    }
    return bytes
  }

  /// Whatever is read of a text is where the error, or its end, leaves it.
  private func check(_ bytes: [UInt8]) -> Bool {
    do throws(TOMLError) {
      let document = try TOMLNode.document(bytes)
      return document.position == SourcePosition(line: 1, column: 1)
    } catch {
      let lines = bytes.count { $0 == 0x0a } + 1
      return (1...lines).contains(error.position.line) && (1...bytes.count + 1).contains(error.position.column)
        && !error.description.utf8.contains { $0 < 0x20 }
    }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func mutations(_ seed: UInt64) {
    var random = Random(state: seed)
    var readable = 0
    for _ in 0..<3000 {
      let bytes = mutation(&random)
      #expect(check(bytes), "\(bytes)")
      if reading(bytes).hasPrefix("{") { readable += 1 }
    }
    #expect((100..<2900).contains(readable), "the texts are neither all right nor all wrong")
  }

  @Test(arguments: [5, 6] as [UInt64])
  func randomBytes(_ seed: UInt64) {
    var random = Random(state: seed)
    for _ in 0..<3000 {
      let bytes = (0..<Int.random(in: 0..<64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(check(bytes), "\(bytes)")
    }
  }

  @Test func beginnings() {
    for (text, _) in ValidTexts.all {
      let bytes = Array(text.utf8)
      for count in 0...bytes.count { #expect(check(Array(bytes.prefix(count))), "\(bytes.prefix(count))") }
    }
  }

  /// Texts of a size where anything that is not linear in it would not end.
  @Test(arguments: [
    "[", "{", "\"", "'", "\\", "a", "a.", "[a]\n", "[[a]]\n", "a=[", "a={b=", ",", "1", "_", "\"\"\"", "a=\"\\", "#\n",
    " ",
    "\r\n", "a\n", "=", "a = [[1],", "[a.b.c.d.e.f]\n", "é",
  ])
  func large(_ word: String) {
    let count = (1 << 16) / word.utf8.count
    #expect(check(Array(String(repeating: word, count: count).utf8)))
    #expect(check(Array(("a = [" + String(repeating: word, count: count - 8)).utf8)))
    #expect(check(Array(("a = \"\"\"" + String(repeating: word, count: count - 8)).utf8)))
    #expect(check(Array(("a = 1" + String(repeating: word, count: count - 8)).utf8)))
  }
}
