/// Texts that are no TOML, by the sections of the specification, and the error.
enum InvalidTexts {
  static let all = [
    commentsAndLines, keys, strings, numbers, datesAndTimes, arrays, tables, inlineTables, arraysOfTables,
  ].flatMap { $0 }
}
