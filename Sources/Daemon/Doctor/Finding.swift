/// What was found out about one thing that a host can or cannot do for the daemon.
public struct Finding: Sendable, Equatable {
  /// How the daemon fares with it.
  public enum Verdict: String, Sendable, CaseIterable {
    /// It works.
    case ok
    /// The daemon works without it, or with less of it.
    case limited
    /// The daemon cannot do what it was asked to without it.
    case missing
  }

  /// A name that stays the same between versions: an area, a dot and what was looked at, such as `aio.budget`.
  public let identifier: String
  /// The path that it is about; nil where it is about the host.
  public let subject: String?
  /// The thing in a word or two.
  public let title: String
  /// How the daemon fares.
  public let verdict: Verdict
  /// What was found, in sentences.
  public let reason: String
  /// What to run, install or set; nil where nothing needs to be done, or nothing can.
  public let remedy: String?

  /// A finding of the given parts.
  public init(
    _ identifier: String, subject: String? = nil, _ title: String, _ verdict: Verdict, _ reason: String,
    remedy: String? = nil
  ) {
    self.identifier = identifier
    self.subject = subject
    self.title = title
    self.verdict = verdict
    self.reason = reason
    self.remedy = remedy
  }
}
