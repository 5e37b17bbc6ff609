import Testing

@testable import Daemon

@Suite struct SystemFileTests {
  @Test(arguments: [("65536\n", 65536), ("0", 0), ("", nil), ("many\n", nil), ("-1\n", nil)] as [(String, UInt64?)])
  func readsANumber(_ text: String, _ number: UInt64?) throws {
    let folder = try TestFolder()
    #expect(SystemFile.number(try folder.text("number", text)) == number)
  }

  @Test(
    arguments: [
      ("always [madvise] never\n", "madvise"), ("[never]", "never"), ("always\n", nil), ("[never", nil), ("] [", nil),
    ] as [(String, String?)])
  func readsTheChoiceThatHolds(_ text: String, _ choice: String?) throws {
    let folder = try TestFolder()
    #expect(SystemFile.choice(try folder.text("choice", text)) == choice)
  }

  @Test func readsNoMoreThanAsked() throws {
    let folder = try TestFolder()
    let path = try folder.text("long", String(repeating: "ab", count: 20_000))
    #expect(SystemFile.text(path, limit: 5) == "ababa")
    #expect(SystemFile.text(path)?.utf8.count == 40_000)
    #expect(SystemFile.text(folder.file("none")) == nil)
    #expect(SystemFile.text(folder.path) == nil)
  }
}
