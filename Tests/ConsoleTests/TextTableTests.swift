import Testing

@testable import Console

@Suite struct TextTableTests {
  @Test func alignsWordsLeftAndNumbersRight() {
    var table = TextTable([.text("NAME"), .number("SIZE"), .text("IMAGE", isFlexible: true)])
    table.add(["a", "1GiB", "/a"])
    table.add(["longer", "512B", "/b/c"])
    #expect(table.lines() == ["NAME    SIZE  IMAGE", "a       1GiB  /a", "longer  512B  /b/c"])
  }

  @Test func cutsTheBeginningOfAPathAtTheWidth() {
    var table = TextTable([.text("NAME"), .text("IMAGE", isFlexible: true)])
    table.add(["disk0", "/srv/images/" + String(repeating: "x", count: 100) + "/disk0.img"])
    let lines = table.lines(width: 40)
    #expect(lines.allSatisfy { $0.count <= 40 })
    #expect(lines[1].count == 40)
    #expect(lines[1].hasPrefix("disk0  ...xx"))
    #expect(lines[1].hasSuffix("x/disk0.img"))
  }

  @Test func showsNothingThatMovesTheCursor() {
    var table = TextTable([.text("NAME")])
    table.add(["a\u{1b}[2Jb\nc\u{202e}d"])
    #expect(table.lines() == ["NAME", "a?[2Jb?c?d"])
  }
}
