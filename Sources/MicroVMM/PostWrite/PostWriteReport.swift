import KVM

/// The outcomes of cases as lines of text: one for each, in the format of the Test Anything Protocol, and their sums.
public struct PostWriteReport: Sendable {
  /// Cases that are true.
  public private(set) var passed = 0
  /// Cases that are not.
  public private(set) var failed = 0
  /// Cases that could not be run here.
  public private(set) var skipped = 0

  /// No outcomes.
  public init() {}

  /// The line that says how many cases come.
  public static func plan(_ count: Int) -> String { "1..\(count)" }

  /// Counts an outcome.
  ///
  /// - Returns: its line.
  public mutating func add(_ description: String, _ outcome: PostWriteCase.Outcome) -> String {
    let number = passed + failed + skipped + 1
    switch outcome {
    case .passed:
      passed += 1
      return "ok \(number) - \(description)"
    case .failed(let reason):
      failed += 1
      return "not ok \(number) - \(description)\n# \(reason)"
    case .skipped(let reason):
      skipped += 1
      return "ok \(number) - \(description) # SKIP \(reason)"
    }
  }

  /// The last line.
  public var sums: String { "\(passed) passed, \(failed) failed, \(skipped) skipped" }
}
