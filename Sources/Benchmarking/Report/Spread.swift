/// What several measurements of the same thing say: the middle one, and how far the others lie.
public struct Spread: Equatable, Sendable {
  /// The middle value; of an even number of values the mean of both in the middle.
  public let median: Double
  /// The least value.
  public let minimum: Double
  /// The greatest value.
  public let maximum: Double

  /// - Returns: nil without values, or where one is no number.
  public init?(_ values: [Double]) {
    guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    minimum = sorted[0]
    maximum = sorted[sorted.count - 1]
  }
}

/// The straight line with the least squares of distances to some points: whether a cost is flat, and how much it is.
public struct LineFit: Equatable, Sendable {
  /// What one more of x costs.
  public let slope: Double
  /// The line's value at x = 0.
  public let intercept: Double
  /// The distance of the point that lies farthest from the line, above it where positive.
  public let largestResidual: Double

  /// - Returns: nil for fewer than two different x.
  public init?(_ points: [(x: Double, y: Double)]) {
    let count = Double(points.count)
    guard points.count >= 2 else { return nil }
    let meanX = points.reduce(0) { $0 + $1.x } / count
    let meanY = points.reduce(0) { $0 + $1.y } / count
    let square = points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
    guard square > 0 else { return nil }
    let slope = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) } / square
    let intercept = meanY - slope * meanX
    self.slope = slope
    self.intercept = intercept
    largestResidual = points.map { $0.y - slope * $0.x - intercept }.max { abs($0) < abs($1) } ?? 0
  }

  /// The line's value at `x`.
  public func value(at x: Double) -> Double { slope * x + intercept }
}
