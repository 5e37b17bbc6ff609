/// Diagrams below and beside each other, with a title.
public struct Picture: Sendable {
  let title: String
  /// Lines below the title.
  let subtitles: [String]
  /// Each row's diagrams.
  let rows: [[Chart]]

  /// A picture.
  public init(_ title: String, subtitles: [String] = [], rows: [[Chart]]) {
    self.title = title
    self.subtitles = subtitles
    self.rows = rows.filter { !$0.isEmpty }
  }

  /// The picture as an SVG document.
  public var svg: String {
    var svg = SVG()
    svg.text(title, 16, 28, size: 16, color: "#000000", isBold: true)
    for (index, line) in subtitles.enumerated() {
      svg.text(line, 16, 48 + Double(index) * 16, size: 11, color: "#555555")
    }
    var y = 44 + Double(subtitles.count) * 16 + 12
    // No narrower than its texts.
    var width =
      max(
        Double(title.count) * 9.6, Double(subtitles.map(\.count).max() ?? 0) * 6.4) + 32
    for row in rows {
      var x = 8.0
      for chart in row {
        chart.draw(into: &svg, x: x, y: y)
        x += chart.width + 16
      }
      width = max(width, x)
      y += Chart.height + 10
    }
    return svg.document(width: width, height: y + 6)
  }
}
