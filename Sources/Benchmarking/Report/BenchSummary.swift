/// The measurements of a result by case and runner.
public struct BenchSummary: Sendable {
  /// Who was measured.
  public struct Subject: Hashable, Sendable {
    /// `nvmed`, `fio`, ...
    public let runner: String
    /// Which build, where two are compared.
    public let build: String?

    /// A runner, or a build of it.
    public init(_ runner: String, build: String? = nil) {
      self.runner = runner
      self.build = build
    }
  }

  private struct Place: Hashable {
    let parameters: [String: String]
    let subject: Subject
  }

  /// How runners follow each other in tables and pictures; others come last.
  private static let runners = ["nvmed", "nvmed-2", "relay", "c", "fio", "qemu"]

  /// All cases, in the order in which they were measured first. What is measured for all of them, such as the cost of a
  /// wake-up, is the case without parameters.
  public let cases: [[String: String]]
  /// All who were measured: nvmed first, then those it is compared with; builds in the order in which they ran.
  public let subjects: [Subject]
  /// By round, then by name.
  private let values: [Place: [Int: [String: Double]]]

  /// The measurements of `result`.
  public init(_ result: BenchResult) {
    var cases: [[String: String]] = []
    var subjects: [Subject] = []
    var values: [Place: [Int: [String: Double]]] = [:]
    for run in result.runs {
      let subject = Subject(run.runner, build: run.build)
      if !cases.contains(run.parameters) { cases.append(run.parameters) }
      if !subjects.contains(subject) { subjects.append(subject) }
      values[Place(parameters: run.parameters, subject: subject), default: [:]][run.round, default: [:]]
        .merge(run.values) { _, last in last }
    }
    self.cases = cases
    let ranks = subjects.enumerated().map { position, subject in
      (BenchSummary.runners.firstIndex(of: subject.runner) ?? BenchSummary.runners.count, position)
    }
    self.subjects = subjects.indices.sorted { ranks[$0] < ranks[$1] }.map { subjects[$0] }
    self.values = values
  }

  /// The different builds, in order.
  public var builds: [String] {
    var builds: [String] = []
    for case let build? in subjects.map(\.build) where !builds.contains(build) { builds.append(build) }
    return builds
  }

  /// Whether the runner was measured in this case.
  public func has(_ subject: Subject, in parameters: [String: String]) -> Bool {
    values[Place(parameters: parameters, subject: subject)] != nil
  }

  /// A value of a runner in a case, by round.
  public func rounds(_ name: String, of subject: Subject, in parameters: [String: String]) -> [Int: Double] {
    (values[Place(parameters: parameters, subject: subject)] ?? [:]).compactMapValues { $0[name] }
  }

  /// A value of a runner in a case; nil where it was not measured.
  public func spread(_ name: String, of subject: Subject, in parameters: [String: String]) -> Spread? {
    Spread(Array(rounds(name, of: subject, in: parameters).values))
  }

  /// The ratios of a value of one runner to that of another in the same round: what drifts with the machine is in both.
  ///
  /// - Returns: nil where no round has both.
  public func ratio(
    _ name: String, of subject: Subject, to other: Subject, in parameters: [String: String]
  ) -> Spread? {
    let others = rounds(name, of: other, in: parameters)
    return Spread(
      rounds(name, of: subject, in: parameters).compactMap { round, value in
        guard let other = others[round], other > 0 else { return nil }
        return value / other
      })
  }

  /// The line through the medians of a value over a numeric parameter.
  public func fit(_ name: String, over parameter: String, of subject: Subject) -> LineFit? {
    LineFit(
      cases.compactMap { parameters in
        guard let x = parameters[parameter].flatMap(Double.init),
          let y = spread(name, of: subject, in: parameters)?.median
        else { return nil }
        return (x, y)
      })
  }
}
