import Benchmarking
import Testing

@Suite struct TextTableTests {
  @Test func alignsColumns() {
    var table = TextTable([TextTable.Column("name", isNumber: false), TextTable.Column("n")])
    table.add(["a", "1"])
    table.add(["longer", "1000"])
    #expect(
      table.text == """
        name       n
        a          1
        longer  1000
        """)
  }

  /// A column that nobody has anything in is not there; a cell that is missing is empty.
  @Test func leavesOutWhatIsEmpty() {
    var table = TextTable([TextTable.Column("a"), TextTable.Column("b"), TextTable.Column("c")])
    table.add(["1", "", "3"])
    table.add(["1"])
    #expect(
      table.text == """
        a  c
        1  3
        1
        """)
    #expect(!table.isEmpty)
    #expect(TextTable([]).isEmpty)
  }
}
