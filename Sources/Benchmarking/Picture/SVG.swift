/// Writes the elements of an SVG document.
struct SVG {
  private var elements: [String] = []
  /// How texts are aligned to their place.
  enum Anchor: String { case start, middle, end }

  /// The document.
  func document(width: Double, height: Double) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" width="\(number(width))" height="\(number(height))" \
    viewBox="0 0 \(number(width)) \(number(height))" font-family="DejaVu Sans, Helvetica, Arial, sans-serif">
    <rect width="100%" height="100%" fill="#ffffff"/>
    \(elements.joined(separator: "\n"))
    </svg>

    """
  }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String, width: Double = 1, dashes: String? = nil
  ) {
    let dash = dashes.map { " stroke-dasharray=\"\($0)\"" } ?? ""
    elements.append(
      "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" "
        + "stroke=\"\(color)\" stroke-width=\"\(number(width))\"\(dash)/>")
  }

  mutating func path(_ points: [(x: Double, y: Double)], _ color: String, width: Double = 2) {
    let places = points.map { "\(number($0.x)),\(number($0.y))" }
    elements.append(
      "<polyline points=\"\(places.joined(separator: " "))\" fill=\"none\" stroke=\"\(color)\" "
        + "stroke-width=\"\(number(width))\" stroke-linejoin=\"round\"/>")
  }

  mutating func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ color: String) {
    elements.append(
      "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(max(width, 0)))\" "
        + "height=\"\(number(max(height, 0)))\" fill=\"\(color)\"/>")
  }

  mutating func circle(_ x: Double, _ y: Double, _ radius: Double, _ color: String) {
    elements.append("<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(radius))\" fill=\"\(color)\"/>")
  }

  mutating func text(
    _ text: String, _ x: Double, _ y: Double, size: Double = 11, color: String = "#333333", anchor: Anchor = .start,
    isBold: Bool = false, hasHalo: Bool = false
  ) {
    let weight = isBold ? " font-weight=\"bold\"" : ""
    let halo = hasHalo ? " stroke=\"#ffffff\" stroke-width=\"2.5\" paint-order=\"stroke\"" : ""
    elements.append(
      "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(number(size))\" fill=\"\(color)\" "
        + "text-anchor=\"\(anchor.rawValue)\"\(weight)\(halo)>\(SVG.escaped(text))</text>")
  }

  /// A text as it may stand in a document, without characters that XML has none of.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n": result += " "
      case _ where scalar.value < 0x20 || scalar.value == 0x7f: break
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A coordinate: one decimal is a tenth of a pixel.
  private func number(_ value: Double) -> String {
    let text = decimal(value, 1)
    return text == "-" ? "0" : text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
