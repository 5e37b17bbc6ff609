/// One diagram: values of several series at the same places of the x axis, each with its spread.
public struct Chart: Sendable {
  /// How the values are drawn.
  public enum Kind: Sendable {
    /// A bar for each series, side by side.
    case bars
    /// Points joined by a line.
    case lines
  }

  /// The values of one subject.
  public struct Series: Sendable {
    /// What the legend calls it.
    public let name: String
    /// A value for each place; nil: none was measured.
    public let values: [Spread?]

    /// A series.
    public init(_ name: String, _ values: [Spread?]) {
      self.name = name
      self.values = values
    }
  }

  /// What stands above it.
  public let title: String
  let kind: Kind
  let isLogarithmic: Bool
  /// The places of the x axis; several lines are separated by a line feed.
  let places: [String]
  let series: [Series]
  /// A value with a line through the diagram.
  let reference: (value: Double, name: String)?

  /// A diagram.
  public init(
    _ title: String, _ kind: Kind, isLogarithmic: Bool = false, places: [String], series: [Series],
    reference: (value: Double, name: String)? = nil
  ) {
    self.title = title
    self.kind = kind
    self.isLogarithmic = isLogarithmic
    self.places = places
    self.series = series.filter { series in series.values.contains { $0 != nil } }
    self.reference = reference
  }

  /// The colours of the series, which people who see few colours can tell apart (Okabe and Ito).
  static let colors = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c8c8c", "#4d4d4d"]

  private static let referenceColor = "#c00000"

  static func color(_ index: Int) -> String { colors[index % colors.count] }
}

extension Chart {
  /// Room of the diagram's parts, in pixels.
  private struct Frame {
    let left: Double
    let top: Double
    let width: Double
    let height: Double
    let scale: Scale
    let places: Int

    func y(_ value: Double) -> Double { top + height * (1 - scale.position(value)) }
    /// The middle of a place.
    func x(_ place: Int) -> Double { left + slot * (Double(place) + 0.5) }
    var slot: Double { width / Double(max(places, 1)) }
  }

  /// How wide a diagram of so many places and series has to be.
  var width: Double {
    let perPlace = kind == .bars ? max(Double(series.count) * 30 + 16, 66) : 70
    // No narrower than its texts.
    let names = (series.count > 1 ? series.map(\.name) : []) + (reference.map { [$0.name + "--"] } ?? [])
    let legend = names.reduce(0) { $0 + Chart.legendWidth($1) }
    return [320, Double(places.count) * perPlace + 76, Double(title.count) * 8.6 + 16, legend + 16].max() ?? 320
  }

  static let height = 270.0

  private static func legendWidth(_ name: String) -> Double { 26 + Double(name.count) * 6.6 }

  /// Draws it with its upper left corner at `x`, `y`.
  func draw(into svg: inout SVG, x: Double, y: Double) {
    let spreads = series.flatMap { $0.values.compactMap(\.self) }
    let values = spreads.flatMap { [$0.minimum, $0.maximum] } + (reference.map { [$0.value] } ?? [])
    let lines = places.map { $0.split(separator: "\n").count }.max() ?? 1
    let frame = Frame(
      left: x + 60, top: y + 50, width: width - 76, height: Chart.height - 66 - Double(lines) * 13,
      scale: Scale(isLogarithmic ? .logarithmic : .linear, values: values), places: places.count)
    svg.text(title, x + 8, y + 16, size: 13, color: "#000000", isBold: true)
    drawLegend(into: &svg, x: x + 8, y: y + 34)
    for tick in frame.scale.ticks {
      svg.line(frame.left, frame.y(tick), frame.left + frame.width, frame.y(tick), "#e3e3e3")
      svg.text(short(tick), frame.left - 6, frame.y(tick) + 4, size: 10, anchor: .end)
    }
    let bottom = frame.top + frame.height
    svg.line(frame.left, bottom, frame.left + frame.width, bottom, "#666666")
    for (place, name) in places.enumerated() {
      for (row, line) in name.split(separator: "\n").enumerated() {
        svg.text(String(line), frame.x(place), bottom + 15 + Double(row) * 13, size: 10, anchor: .middle)
      }
    }
    for (index, one) in series.enumerated() {
      switch kind {
      case .bars: drawBars(one, index, frame, into: &svg)
      case .lines: drawLine(one, index, frame, into: &svg)
      }
    }
    if let reference {
      let height = frame.y(reference.value)
      svg.line(frame.left, height, frame.left + frame.width, height, Chart.referenceColor, dashes: "5 3")
    }
    for (index, one) in series.enumerated() {
      switch kind {
      case .bars: labelBars(one, index, frame, into: &svg)
      case .lines: labelPoints(one, index, frame, into: &svg)
      }
    }
    if spreads.isEmpty { svg.text("nothing was measured", frame.left + 10, frame.top + 20) }
  }

  private func drawLegend(into svg: inout SVG, x: Double, y: Double) {
    var x = x
    if series.count > 1 {
      for (index, one) in series.enumerated() {
        svg.rectangle(x, y - 9, 10, 10, Chart.color(index))
        svg.text(one.name, x + 14, y, size: 11)
        x += Chart.legendWidth(one.name)
      }
    }
    guard let reference else { return }
    svg.line(x, y - 4, x + 18, y - 4, Chart.referenceColor, dashes: "5 3")
    svg.text(reference.name, x + 24, y, size: 11, color: Chart.referenceColor)
  }

  private func drawBars(_ one: Series, _ index: Int, _ frame: Frame, into svg: inout SVG) {
    let width = (frame.slot - 12) / Double(max(series.count, 1))
    let zero = frame.y(frame.scale.kind == .logarithmic ? frame.scale.range.lowerBound : 0)
    for (place, value) in one.values.enumerated() {
      guard let value else { continue }
      let left = frame.left + frame.slot * Double(place) + 6 + width * Double(index)
      let y = frame.y(value.median)
      svg.rectangle(left + 1, min(y, zero), width - 2, abs(zero - y), Chart.color(index))
      drawSpread(value, x: left + width / 2, frame, "#222222", into: &svg)
    }
  }

  /// Above each bar and its spread.
  private func labelBars(_ one: Series, _ index: Int, _ frame: Frame, into svg: inout SVG) {
    let width = (frame.slot - 12) / Double(max(series.count, 1))
    for (place, value) in one.values.enumerated() {
      guard let value else { continue }
      let middle = frame.left + frame.slot * Double(place) + 6 + width * (Double(index) + 0.5)
      let top = min(frame.y(value.median), frame.y(value.maximum))
      svg.text(short(value.median), middle, top - 3, size: 9, anchor: .middle, hasHalo: true)
    }
  }

  private func drawLine(_ one: Series, _ index: Int, _ frame: Frame, into svg: inout SVG) {
    let color = Chart.color(index)
    let points = one.values.enumerated().compactMap { place, value in
      value.map { (x: frame.x(place), y: frame.y($0.median), value: $0) }
    }
    svg.path(points.map { ($0.x, $0.y) }, color)
    for point in points {
      drawSpread(point.value, x: point.x, frame, color, into: &svg)
      svg.circle(point.x, point.y, 3.2, color)
    }
  }

  /// Above the greatest value of a place, below the others, so that both can be read where they are close.
  private func labelPoints(_ one: Series, _ index: Int, _ frame: Frame, into svg: inout SVG) {
    for (place, value) in one.values.enumerated() {
      guard let value else { continue }
      let isGreatest = series.allSatisfy { other in
        place >= other.values.count || (other.values[place]?.median ?? value.median) <= value.median
      }
      let y = min(frame.y(value.median) + (isGreatest ? -5 : 13), frame.top + frame.height - 3)
      svg.text(
        short(value.median), frame.x(place) + 5, y, size: 9, color: Chart.color(index), hasHalo: true)
    }
  }

  /// From the least to the greatest value.
  private func drawSpread(_ value: Spread, x: Double, _ frame: Frame, _ color: String, into svg: inout SVG) {
    guard value.minimum != value.maximum else { return }
    let (low, high) = (frame.y(value.minimum), frame.y(value.maximum))
    svg.line(x, low, x, high, color)
    svg.line(x - 3, low, x + 3, low, color)
    svg.line(x - 3, high, x + 3, high, color)
  }
}
