import FoundationEssentials
import LinuxIO

/// What one suite of `scripts/bench` has measured: the content of its file.
public struct BenchResult: Codable, Equatable, Sendable {
  /// The suite: a name of `SuiteView.all`.
  public var suite: String
  /// The commit that was measured, as `git describe` names it.
  public var commit: String
  /// What the machine is, by name.
  public var machine: [String: String]
  /// How it was measured, by name.
  public var options: [String: String]
  /// Where the threads ran: the same for all runners of a case.
  public var placement: String
  /// All measurements, in order.
  public var runs: [BenchRun]

  /// A result.
  public init(
    suite: String, commit: String, machine: [String: String] = [:], options: [String: String] = [:],
    placement: String = "", runs: [BenchRun]
  ) {
    self.suite = suite
    self.commit = commit
    self.machine = machine
    self.options = options
    self.placement = placement
    self.runs = runs
  }

  /// Reads a file.
  ///
  /// - Throws: `BenchResultError` with the path and what is wrong.
  public init(path: String) throws(BenchResultError) {
    do {
      self = try JSONDecoder().decode(BenchResult.self, from: Data(ProcessFile.text(path).utf8))
    } catch let error as Errno {
      throw BenchResultError(path: path, reason: "\(error)")
    } catch {
      throw BenchResultError(path: path, reason: "it is no result of a bench: \(BenchResult.reason(error))")
    }
  }

  /// What is wrong, and where.
  private static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    switch error {
    case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context),
      .valueNotFound(_, let context):
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
    @unknown default: return "\(error)"
    }
  }
}

/// One measurement of one runner.
public struct BenchRun: Codable, Equatable, Sendable {
  /// What was measured: `depth`: `32`, ...
  public var parameters: [String: String]
  /// Who was measured: `nvmed`, `fio`, ...
  public var runner: String
  /// Which build of it, where two are compared.
  public var build: String?
  /// The round, counted from 1: runners of the same round took turns.
  public var round: Int
  /// What was found, by name; times are in ns unless the name says otherwise.
  public var values: [String: Double]

  private enum CodingKeys: String, CodingKey {
    case parameters = "case"
    case runner, build, round, values
  }

  /// A measurement.
  public init(
    _ parameters: [String: String], runner: String, build: String? = nil, round: Int = 1, values: [String: Double]
  ) {
    self.parameters = parameters
    self.runner = runner
    self.build = build
    self.round = round
    self.values = values
  }
}

/// Why a file cannot be used.
public struct BenchResultError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What is wrong with it.
  public let reason: String

  /// Both.
  public var description: String { "\(path): \(reason)" }
}
