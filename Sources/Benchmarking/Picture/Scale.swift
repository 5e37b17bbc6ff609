import Glibc

/// Where a value lies on an axis.
struct Scale {
  /// How values are spread.
  enum Kind { case linear, logarithmic }

  let kind: Kind
  /// Where the axis begins and ends.
  let range: ClosedRange<Double>
  /// The values that have a line and a number.
  let ticks: [Double]

  /// An axis that shows all values.
  ///
  /// A linear one begins at 0 unless values are below; a logarithmic one shows those above 0, and is linear where there
  /// are none.
  init(_ kind: Kind, values: [Double]) {
    let finite = values.filter(\.isFinite)
    let positive = finite.filter { $0 > 0 }
    if kind == .logarithmic, let least = positive.min(), let greatest = positive.max() {
      self.kind = .logarithmic
      let lowest = floor(log10(least))
      let highest = max(ceil(log10(greatest)), lowest + 1)
      let wide = highest - lowest >= 3
      var ticks: [Double] = []
      for exponent in Int(lowest)...Int(highest) {
        for factor in wide ? [1.0] : [1.0, 2, 5] { ticks.append(factor * pow(10, Double(exponent))) }
      }
      // From the last tick below to the first one above.
      let low = ticks.last { $0 <= least } ?? ticks[0]
      let high = ticks.first { $0 >= greatest && $0 > low } ?? ticks[ticks.count - 1]
      range = low...high
      self.ticks = ticks.filter { $0 >= low && $0 <= high }
    } else {
      self.kind = .linear
      let least = min(finite.min() ?? 0, 0)
      let greatest = max(finite.max() ?? 1, least)
      let step = Scale.step((greatest > least ? greatest - least : 1) / 5)
      let first = floor(least / step)
      let last = max(ceil(greatest / step), first + 1)
      range = first * step...last * step
      ticks = (0...Int(last - first)).map { (first + Double($0)) * step }
    }
  }

  /// The least of 1, 2, 5 times a power of ten that is `value` or more.
  private static func step(_ value: Double) -> Double {
    let power = pow(10, floor(log10(value)))
    return ([1.0, 2, 5].first { $0 * power >= value * 0.999_999 } ?? 10) * power
  }

  /// 0 at the beginning of the axis, 1 at its end; values beyond are put there.
  func position(_ value: Double) -> Double {
    let position =
      switch kind {
      case .linear: (value - range.lowerBound) / (range.upperBound - range.lowerBound)
      case .logarithmic:
        value > 0 ? log10(value / range.lowerBound) / log10(range.upperBound / range.lowerBound) : 0
      }
    return position.isFinite ? min(max(position, 0), 1) : 0
  }
}
