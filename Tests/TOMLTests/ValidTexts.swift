/// Texts that are TOML, by the sections of the specification, and what they say as `notation(of:)` has it.
enum ValidTexts {
  static let all = [
    commentsAndLines, keys, strings, numbers, datesAndTimes, arrays, tables, inlineTables, arraysOfTables,
  ].flatMap { $0 }
}
