import TOML
import Testing

/// Where keys and values stand.
@Suite struct PositionTests {
  /// Each key and value as "path key's place > value's place", where a path is `a.b[0].c`.
  private func positions(_ text: String) throws -> [String] {
    func places(_ node: TOMLNode, _ path: String, _ key: SourcePosition?) -> [String] {
      let own = [key, node.position].map { $0.map { "\($0.line):\($0.column)" } ?? "-" }
      var result = path.isEmpty ? [] : ["\(path) \(own[0]) > \(own[1])"]
      switch node.content {
      case .table(let table):
        for member in table.members {
          result += places(member.node, path.isEmpty ? member.key : "\(path).\(member.key)", member.position)
        }
      case .array(let elements):
        for (index, element) in elements.enumerated() { result += places(element, "\(path)[\(index)]", nil) }
      default: break
      }
      return result
    }
    return places(try TOMLNode.document(Array(text.utf8)), "", nil)
  }

  @Test func keysAndHeaders() throws {
    #expect(
      try positions("a = 1\n\n  b = 2 # c = 3\n# d = 4\n[e]\nf =  5\n  [ g . h ]\n\ti = 6\n") == [
        "a 1:1 > 1:5", "b 3:3 > 3:7", "e 5:2 > 5:1", "e.f 6:1 > 6:6", "g 7:5 > 7:3", "g.h 7:9 > 7:3",
        "g.h.i 8:2 > 8:6",
      ])
  }

  @Test func aTableIsAtItsOwnHeader() throws {
    #expect(try positions("[a.b]\n[a]\nc = 1") == ["a 1:2 > 2:1", "a.b 1:4 > 1:1", "a.c 3:1 > 3:5"])
  }

  @Test func arraysOfTables() throws {
    let text = "[[c]]\nx = 1\n[[c.n]]\ny = 1\n[[c.n]]\n[[c]]\n[[c.n]]\ny = 3\n[c.s]\nz = 1\n"
    #expect(
      try positions(text) == [
        "c 1:3 > 1:1", "c[0] - > 1:1", "c[0].x 2:1 > 2:5", "c[0].n 3:5 > 3:1", "c[0].n[0] - > 3:1",
        "c[0].n[0].y 4:1 > 4:5", "c[0].n[1] - > 5:1", "c[1] - > 6:1", "c[1].n 7:5 > 7:1", "c[1].n[0] - > 7:1",
        "c[1].n[0].y 8:1 > 8:5", "c[1].s 9:4 > 9:1", "c[1].s.z 10:1 > 10:5",
      ])
  }

  @Test func dottedAndQuotedKeys() throws {
    #expect(
      try positions("a.b . c = 1\n\"d e\".'f.g' = 2\n[\"h\\u0041\\t\".i]\n'' = 3\n") == [
        "a 1:1 > 1:1", "a.b 1:3 > 1:3", "a.b.c 1:7 > 1:11", "d e 2:1 > 2:1", "d e.f.g 2:7 > 2:15", "hA\t 3:2 > 3:1",
        "hA\t.i 3:14 > 3:1", "hA\t.i. 4:1 > 4:6",
      ])
  }

  @Test func inlineTablesAndArrays() throws {
    let text = """
      a = { b = 1, c.d = "}", e = [1, 2] }
      g = [ # comment ] with = brackets
        { h = 1 },
        [ { i = '[' } ],
        1979-05-27 07:32:00, # z
      ]
      k = 1
      """
    #expect(
      try positions(text) == [
        "a 1:1 > 1:5", "a.b 1:7 > 1:11", "a.c 1:14 > 1:14", "a.c.d 1:16 > 1:20", "a.e 1:25 > 1:29",
        "a.e[0] - > 1:30", "a.e[1] - > 1:33", "g 2:1 > 2:5", "g[0] - > 3:3", "g[0].h 3:5 > 3:9", "g[1] - > 4:3",
        "g[1][0] - > 4:5", "g[1][0].i 4:7 > 4:11", "g[2] - > 5:3", "k 7:1 > 7:5",
      ])
  }

  @Test func stringsOfSeveralLines() throws {
    let text = "a = \"\"\"\nb = 1\n\\\n  \"\"\" # x\ne = '''\n\n'''\nf = 1"
    #expect(try positions(text) == ["a 1:1 > 1:5", "e 5:1 > 5:5", "f 8:1 > 8:5"])
  }

  @Test func columnsCountCharactersAndAByteOrderMarkCountsNothing() throws {
    #expect(
      try positions("\u{feff}a = { \"ä€\" = \"😀\", b = 2 }") == [
        "a 1:1 > 1:5", "a.ä€ 1:7 > 1:14", "a.b 1:19 > 1:23",
      ])
    #expect(try positions("a = 1\r\nb = 2\r\n") == ["a 1:1 > 1:5", "b 2:1 > 2:5"])
  }

  @Test func theDocumentIsAtItsBeginningAndWhatCameFromNoTextIsNowhere() throws {
    #expect(try TOMLNode.document([]).position == SourcePosition(line: 1, column: 1))
    let made = TOMLTable(["b": TOMLNode(content: .integer(2)), "a": TOMLNode(content: .integer(1))])
    #expect(made.keys == ["a", "b"])
    #expect(made.members.allSatisfy { $0.position == nil && $0.node.position == nil })
  }
}
