import FoundationEssentials
import Testing

/// docs/pitfalls.md: each of the hazards has its row, and what a row names is there.
@Suite struct PitfallDocumentationTests {
  /// A row of a table.
  private struct Row {
    let number: Int
    let cells: [Substring]
    var measure: Substring { cells[2] }
    var tests: Substring { cells[3] }
  }

  private static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

  private static func text(_ path: String) throws -> String {
    let data = try #require(FileManager.default.contents(atPath: "\(root)/\(path)"), "\(path)")
    return String(decoding: data, as: UTF8.self)
  }

  private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(path)") }

  /// What is set in type of code.
  private static func names(_ cell: Substring) -> [Substring] {
    cell.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map(
      \.element)
  }

  private static func rows() throws -> [Row] {
    try text("docs/pitfalls.md").split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { $0.drop { $0 == " " }.trimmingSuffix { $0 == " " } }
      guard cells.count == 4, let number = Int(cells[0]) else { return nil }
      return Row(number: number, cells: cells)
    }
  }

  /// The names of all tests: suite, function.
  private static func tests() throws -> Set<String> {
    var tests: Set<String> = []
    let type = /\b(?:struct|class|extension|enum|actor) +(\w+)/
    let function = /\bfunc +(\w+)/
    for path in try FileManager.default.subpathsOfDirectory(atPath: "\(root)/Tests") where path.hasSuffix(".swift") {
      var suite = Substring()
      var isTest = false
      for line in try text("Tests/\(path)").split(separator: "\n") {
        if line.first != " ", let match = line.firstMatch(of: type) { suite = match.1 }
        if line.contains("@Test") { isTest = true }
        if let match = line.firstMatch(of: function) {
          if isTest { tests.insert("\(suite).\(match.1)") }
          isTest = false
        }
      }
    }
    return tests
  }

  @Test func eachHazardHasItsRow() throws {
    #expect(try Self.rows().map(\.number) == Array(1...107))
  }

  /// A test that is renamed or deleted is found here, and so is a row without one and without a reason.
  @Test func testsAreThere() throws {
    let tests = try Self.tests()
    #expect(tests.count > 1000)
    for row in try Self.rows() {
      let names = Self.names(row.tests)
      #expect(!names.isEmpty || row.tests.hasPrefix("None: "), "\(row.number): no test and no reason")
      for name in names {
        if name.hasPrefix("scripts/") {
          #expect(Self.exists(String(name)), "\(row.number): there is no \(name)")
        } else {
          #expect(tests.contains(String(name)), "\(row.number): there is no test \(name)")
        }
      }
    }
  }

  @Test func sourcesAreThere() throws {
    for row in try Self.rows() {
      for name in Self.names(row.measure) where name.contains("/") {
        #expect(Self.exists("Sources/\(name)"), "\(row.number): there is no \(name)")
      }
    }
  }
}

extension Substring {
  /// Without the characters at its end that `predicate` holds for.
  fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> Substring {
    var rest = self
    while let last = rest.last, predicate(last) { rest.removeLast() }
    return rest
  }
}
