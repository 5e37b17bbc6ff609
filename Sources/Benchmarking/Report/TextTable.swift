/// A table for a terminal: columns as wide as they need to be.
public struct TextTable: Sendable {
  /// A column.
  public struct Column: Sendable {
    /// What stands above it.
    public let title: String
    /// Whether its cells end at the same place, as numbers do.
    public let isNumber: Bool

    /// A column.
    public init(_ title: String, isNumber: Bool = true) {
      self.title = title
      self.isNumber = isNumber
    }
  }

  /// The columns.
  public let columns: [Column]
  private var rows: [[String]] = []

  /// An empty table.
  public init(_ columns: [Column]) { self.columns = columns }

  /// Whether it has no rows.
  public var isEmpty: Bool { rows.isEmpty }

  /// Adds a row; cells that are missing at its end are empty.
  public mutating func add(_ cells: [String]) {
    rows.append(columns.indices.map { $0 < cells.count ? cells[$0] : "" })
  }

  /// The table without columns in which no row has anything.
  public var text: String {
    let shown = columns.indices.filter { column in rows.contains { !$0[column].isEmpty } }
    let widths = shown.map { column in
      max(columns[column].title.count, rows.map { $0[column].count }.max() ?? 0)
    }
    let lines = ([columns.map(\.title)] + rows).map { row in
      var line = ""
      for (column, width) in zip(shown, widths) {
        let padding = String(repeating: " ", count: width - row[column].count)
        if !line.isEmpty { line += "  " }
        line += columns[column].isNumber ? padding + row[column] : row[column] + padding
      }
      while line.last == " " { line.removeLast() }
      return line
    }
    return lines.joined(separator: "\n")
  }
}
