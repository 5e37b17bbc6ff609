import Testing

@testable import Daemon

@Suite struct TOMLNodeTests {
  private func document(_ text: String) throws -> [String: TOMLNode] {
    guard case .table(let members) = try TOMLNode.document(text).content else { return [:] }
    return members
  }

  @Test func everyTypeWithItsLine() throws {
    let members = try document(
      "s = \"x\"\ni = -3\nb = true\nf = 1.5\nd = 2026-01-31\nt = 07:32:00\no = 1979-05-27T07:32:00Z\n[q]\nr = [1]\n")
    let expected: [(String, TOMLNode.Content, String, Int)] = [
      ("s", .string("x"), "a string", 1), ("i", .integer(-3), "an integer", 2), ("b", .boolean(true), "a boolean", 3),
      ("f", .float, "a floating-point number", 4), ("d", .dateTime, "a date or time", 5),
      ("t", .dateTime, "a date or time", 6), ("o", .dateTime, "a date or time", 7),
    ]
    for (key, content, name, line) in expected {
      let node = try #require(members[key])
      #expect(node == TOMLNode(content: content, position: SourcePosition(line: line, column: 1)))
      #expect(node.typeName == name)
    }
    let array = TOMLNode(
      content: .array([TOMLNode(content: .integer(1), position: SourcePosition(line: 9, column: 1))]),
      position: SourcePosition(line: 9, column: 1))
    #expect(members["q"] == TOMLNode(content: .table(["r": array]), position: SourcePosition(line: 8, column: 1)))
    #expect(members.count == 8)
  }

  @Test func nestingIsBounded() throws {
    #expect(try document("a = " + String(repeating: "[", count: 200) + String(repeating: "]", count: 200)).count == 1)
    #expect(throws: TOMLSyntaxError.self) {
      try document("a = " + String(repeating: "[", count: 2_000) + String(repeating: "]", count: 2_000))
    }
  }

  /// Every way to write a long key; the last ones would overflow TOMLKit's stack.
  @Test(arguments: [16, 500_000])
  func keysAreBounded(_ dots: Int) throws {
    let long = String(repeating: "a.", count: dots) + "a"
    let message = "a key of more than 16 parts; no key of a configuration has more than one"
    for (text, column) in [("\(long) = 1", 1), ("[\(long)]", 2), ("[[\(long)]]", 3), ("b = [{ \(long) = 1 }]", 8)] {
      let error = TOMLSyntaxError(position: SourcePosition(line: 2, column: column), message: message)
      #expect(throws: error) { try document("\n" + text) }
    }
    #expect(try document(String(repeating: "a.", count: 15) + "a = 1").count == 1)
  }

  /// TOMLKit would end the process at these (an assertion in toml++).
  @Test(arguments: ["[[[", "[=", "[#a]", "[.a]", "[[.a]]", "[é]", "[\n", "[ \n]", "[[\t=]]", "[[ [a]]]"])
  func headersNeedAName(_ header: String) {
    let error = TOMLSyntaxError(
      position: SourcePosition(line: 2, column: 1),
      message: "a table without a name; write [daemon], [[controller]] or [[controller.namespace]]")
    #expect(throws: error) { try document("a = 1\n" + header) }
  }
}
