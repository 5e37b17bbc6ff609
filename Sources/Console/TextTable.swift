/// Rows in aligned columns with a heading, for a terminal.
///
/// It takes the room that its contents need. Where that is more than the width, one column is cut: the one that was
/// named for it.
public struct TextTable: Sendable {
  /// How a column is shown.
  public struct Column: Sendable {
    let title: String
    let isNumber: Bool
    let isFlexible: Bool

    /// A column of words, aligned at its left.
    ///
    /// - Parameter isFlexible: whether its contents are cut where the table is too wide: a path keeps its end.
    public static func text(_ title: String, isFlexible: Bool = false) -> Column {
      Column(title: title, isNumber: false, isFlexible: isFlexible)
    }

    /// A column of numbers, aligned at its right.
    public static func number(_ title: String) -> Column { Column(title: title, isNumber: true, isFlexible: false) }
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  /// A table without rows.
  public init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row of as many cells as there are columns.
  public mutating func add(_ cells: [String]) {
    rows.append(columns.indices.map { $0 < cells.count ? Terminal.plain(cells[$0]) : "" })
  }

  /// Whether it has no rows.
  public var isEmpty: Bool { rows.isEmpty }

  /// The lines, the heading first; no line is wider than `width` where a column can be cut.
  public func lines(width: Int = 80) -> [String] {
    let titles = columns.map(\.title)
    var widths = columns.indices.map { index in
      ([titles[index]] + rows.map { $0[index] }).map { Terminal.columns($0) }.max() ?? 0
    }
    let total = widths.reduce(0, +) + 2 * max(columns.count - 1, 0)
    if total > width, let flexible = columns.firstIndex(where: \.isFlexible) {
      widths[flexible] = max(widths[flexible] - (total - width), Terminal.columns(titles[flexible]), 8)
    }
    return ([titles] + rows).map { line($0, widths) }
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    let padded = columns.indices.map { index in
      let cell = columns[index].isFlexible ? Terminal.end(of: cells[index], columns: widths[index]) : cells[index]
      let space = String(repeating: " ", count: max(0, widths[index] - Terminal.columns(cell)))
      return columns[index].isNumber ? space + cell : cell + space
    }
    return Terminal.trimmed(padded.joined(separator: "  "))
  }
}
