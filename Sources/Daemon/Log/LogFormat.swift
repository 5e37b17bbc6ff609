/// What log lines look like, and where they go.
public enum LogFormat: String, CaseIterable, Sendable {
  /// `journald` where standard error goes to the journal, else `plain`.
  case auto
  /// Lines for people, on standard error.
  case plain
  /// Entries with fields, straight to the journal.
  case journald
  /// An object of JSON on each line, on standard error.
  case json
}
