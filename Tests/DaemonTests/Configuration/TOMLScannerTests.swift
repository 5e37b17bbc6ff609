import Testing

@testable import Daemon

@Suite struct TOMLScannerTests {
  /// Positions as "path line:column", where a path is `a.b[0].c`.
  private func positions(_ text: String) -> [String] {
    TOMLScanner(text).positions.map { path, position in
      let name = path.elements.reduce(into: "") { name, element in
        switch element {
        case .key(let key): name += name.isEmpty ? key : ".\(key)"
        case .index(let index): name += "[\(index)]"
        }
      }
      return "\(name) \(position.line):\(position.column)"
    }.sorted()
  }

  @Test func keysAndHeaders() {
    #expect(
      positions("a = 1\n\n  b = 2 # c = 3\n# d = 4\n[e]\nf = 5\n  [ g . h ]\n\ti = 6\n") == [
        "a 1:1", "b 3:3", "e 5:1", "e.f 6:1", "g 7:3", "g.h 7:3", "g.h.i 8:2",
      ])
  }

  @Test func arraysOfTables() {
    let text = "[[c]]\nx = 1\n[[c.n]]\ny = 1\n[[c.n]]\ny = 2\n[[c]]\n[[c.n]]\ny = 3\n[c.s]\nz = 1\n[d]\nw = 1"
    #expect(
      positions(text) == [
        "c 1:1", "c[0] 1:1", "c[0].n 3:1", "c[0].n[0] 3:1", "c[0].n[0].y 4:1", "c[0].n[1] 5:1", "c[0].n[1].y 6:1",
        "c[0].x 2:1", "c[1] 7:1", "c[1].n 8:1", "c[1].n[0] 8:1", "c[1].n[0].y 9:1", "c[1].s 10:1", "c[1].s.z 11:1",
        "d 12:1", "d.w 13:1",
      ])
  }

  @Test func dottedAndQuotedKeys() {
    #expect(
      positions("a.b . c = 1\n\"d e\".'f.g' = 2\n[\"h\\u0041\\t\\\"\".i]\n'' = 3\n") == [
        "a 1:1", "a.b 1:1", "a.b.c 1:1", "d e 2:1", "d e.f.g 2:1", "hA\t\" 3:1", "hA\t\".i 3:1", "hA\t\".i. 4:1",
      ])
  }

  @Test func inlineTablesAndArrays() {
    let text = """
      a = { b = 1, c.d = "}", e = { f = [1, 2] } }
      g = [ # comment ] with = brackets
        { h = 1 },
        [ { i = '[' } ],
        "x = 1", 'y', 1979-05-27 07:32:00, # z
        { j = 2 },
      ]
      k = 1
      """
    #expect(
      positions(text) == [
        "a 1:1", "a.b 1:7", "a.c 1:14", "a.c.d 1:14", "a.e 1:25", "a.e.f 1:31", "g 2:1", "g[0] 3:3", "g[0].h 3:5",
        "g[1][0] 4:5", "g[1][0].i 4:7", "g[5] 6:3", "g[5].j 6:5", "k 8:1",
      ])
  }

  @Test func stringsHideWhatLooksLikeKeys() {
    let text = #"""
      a = """
      b = 1
      [c]
      \""" d = "" 2
      """"
      e = '''
      f = "1
      '''''
      g = "h = \" # ["
      i = '\'
      j = 1
      """#
    #expect(positions(text) == ["a 1:1", "e 6:1", "g 9:1", "i 10:1", "j 11:1"])
  }

  @Test func columnsCountCharactersAndABOMCountsNothing() {
    #expect(positions("\u{feff}a = { \"ä€\" = 1, b = 2 }") == ["a 1:1", "a.b 1:17", "a.ä€ 1:7"])
    #expect(positions("a = 1\r\nb = 2\r\n") == ["a 1:1", "b 2:1"])
  }

  @Test(arguments: [
    ("a = \"\\u0000\"", SourcePosition(line: 1, column: 6)), ("a = 1\n\"x\\U00000000\" = 1", .init(line: 2, column: 3)),
    ("a = \"\"\"\n\\u0000\"\"\"", .init(line: 2, column: 1)),
  ])
  func escapesOfNulAreFound(_ text: String, _ position: SourcePosition) {
    #expect(TOMLScanner(text).nullEscape == position)
  }

  @Test(arguments: ["a = '\\u0000'", "a = \"\\\\u0000\"", "a = \"\\u0001\"", "# \\u0000"])
  func otherTextsHaveNoNul(_ text: String) {
    #expect(TOMLScanner(text).nullEscape == nil)
  }

  /// Texts that are not TOML, which TOMLKit would have refused: the scanner must come to an end.
  @Test(arguments: [
    "[", "[[", "[a", "[[a]", "a", "a =", "a = [", "a = [{", "a = {b", "a = \"", "a = \"\"\"", "a = \"\\", "a = \"\\u12",
    "= 1", ". = 1", "]", "}", ",", "a = [1 2]", "a = {,}", "a = [,]", "\u{feff}", "\"", "a.", "a..b = 1", "\u{0}",
    String(repeating: "[", count: 10_000), "a = " + String(repeating: "[", count: 10_000),
    "a = " + String(repeating: "{b=", count: 10_000), String(repeating: "a.", count: 10_000) + "a = 1",
    "[" + String(repeating: "a.", count: 10_000) + "a]",
  ])
  func anythingEnds(_ text: String) {
    #expect(TOMLScanner(text).positions.count < 16)
  }
}
