/// A limit that a measurement is held against.
public struct Target: Sendable {
  /// What is held against it.
  public enum Measure: Sendable {
    /// The median of a value.
    case value(String)
    /// The median of the ratios of a value to that of another runner in the same round.
    case ratio(String, to: String)
    /// The same, to the round trip of two threads by eventfd.
    case ratioToRoundTrip(String)
    /// How much more a value is than that of another runner in the same round, in wake-ups by eventfd: halves of a round
    /// trip.
    case wakeUpsOver(String, runner: String)
    /// What one more of the suite's parameter costs.
    case slope(String)
  }

  /// The limit.
  public enum Limit: Sendable {
    case atLeast(Double)
    case atMost(Double)
  }

  /// The suite whose result it is about.
  public let suite: String
  /// What is to be reached, without the limit.
  public let text: String
  /// Whose value it is.
  let runner: String
  /// What a case must be to count; each one that is counts.
  let parameters: [String: String]
  let measure: Measure
  let limit: Limit
  /// What the value is divided by before it is shown and compared, and the unit then.
  let unit: (scale: Double, name: String)

  init(
    _ suite: String, _ text: String, runner: String = "nvmed", _ parameters: [String: String], _ measure: Measure,
    _ limit: Limit, unit: (scale: Double, name: String) = (1, "")
  ) {
    self.suite = suite
    self.text = text
    self.runner = runner
    self.parameters = parameters
    self.measure = measure
    self.limit = limit
    self.unit = unit
  }

  /// The limit for people.
  public var limitText: String {
    switch limit {
    case .atLeast(let value): ">= \(short(value))\(unit.name)"
    case .atMost(let value): "<= \(short(value))\(unit.name)"
    }
  }

  /// A target and what was measured.
  public struct Outcome: Equatable, Sendable {
    /// What is to be reached, with the case.
    public let text: String
    /// The limit.
    public let limit: String
    /// What was measured.
    public let measured: String
    /// Whether it was reached; nil: it was not measured.
    public let isMet: Bool?
  }

  /// Holds a result of the suite against the target: an outcome for each case, one at least.
  func outcomes(_ summary: BenchSummary) -> [Outcome] {
    let subject = BenchSummary.Subject(runner)
    if case .slope(let key) = measure {
      return [outcome("", summary.fit(key, over: SuiteView.named(suite)?.fits?.over ?? "", of: subject)?.slope, nil)]
    }
    let matching = summary.cases.filter { candidate in
      summary.has(subject, in: candidate) && parameters.allSatisfy { candidate[$0.key] == $0.value }
    }
    // What tells the cases apart, if there are several.
    let varying = (SuiteView.named(suite)?.axes ?? []).filter { axis in
      parameters[axis.key] == nil && Set(matching.map { $0[axis.key] }).count > 1
    }
    let outcomes = matching.map { candidate in
      let spread = spread(summary, subject, candidate)
      return outcome(varying.map { ", " + $0.text(candidate) }.joined(), spread?.median, spread)
    }
    return outcomes.isEmpty ? [outcome("", nil, nil)] : outcomes
  }

  private func spread(
    _ summary: BenchSummary, _ subject: BenchSummary.Subject, _ candidate: [String: String]
  ) -> Spread? {
    switch measure {
    case .value(let key): return summary.spread(key, of: subject, in: candidate)
    case .ratio(let key, let other):
      return summary.ratio(key, of: subject, to: BenchSummary.Subject(other), in: candidate)
    case .ratioToRoundTrip(let key):
      let values = summary.rounds(key, of: subject, in: candidate)
      return Spread(values.compactMap { round, value in roundTrip(summary, round).map { value / $0 } })
    case .wakeUpsOver(let key, let runner):
      let others = summary.rounds(key, of: BenchSummary.Subject(runner), in: candidate)
      return Spread(
        summary.rounds(key, of: subject, in: candidate).compactMap { round, value in
          guard let other = others[round], let trip = roundTrip(summary, round) else { return nil }
          return (value - other) / (trip / 2)
        })
    case .slope: return nil
    }
  }

  private func roundTrip(_ summary: BenchSummary, _ round: Int) -> Double? {
    let trips = summary.subjects.compactMap { summary.rounds(BenchSummary.roundTrip, of: $0, in: [:])[round] }
    return trips.first.flatMap { $0 > 0 ? $0 : nil }
  }

  private func outcome(_ suffix: String, _ value: Double?, _ spread: Spread?) -> Outcome {
    guard let value, value.isFinite else {
      return Outcome(text: text + suffix, limit: limitText, measured: "not measured", isMet: nil)
    }
    let scaled = value / unit.scale
    let isMet =
      switch limit {
      case .atLeast(let limit): scaled >= limit
      case .atMost(let limit): scaled <= limit
      }
    var measured = exact(scaled) + unit.name
    if let spread, spread.minimum != spread.maximum {
      measured += " (\(exact(spread.minimum / unit.scale)) - \(exact(spread.maximum / unit.scale)))"
    }
    return Outcome(text: text + suffix, limit: limitText, measured: measured, isMet: isMet)
  }

  /// Enough digits to see on which side of the limit it is.
  private func exact(_ value: Double) -> String {
    let magnitude =
      switch limit {
      case .atLeast(let limit), .atMost(let limit): limit
      }
    return magnitude != 0 && magnitude < 10 && abs(value) < 10 ? decimal(value, 3) : short(value)
  }
}
