import Logging
import Synchronization

/// The least important lines that the process logs, and where they go: all its loggers share one. The level may change
/// at any time.
final class LogThreshold: Sendable {
  private let index: Atomic<Int>

  /// Where lines go.
  let output: LogOutput

  init(_ level: LogLevel, _ output: LogOutput = LogOutput(.plain)) {
    index = Atomic(LogThreshold.index(level))
    self.output = output
  }

  /// The level as the configuration has it.
  var level: LogLevel {
    get { LogLevel.allCases[index.load(ordering: .relaxed)] }
    set { index.store(LogThreshold.index(newValue), ordering: .relaxed) }
  }

  /// The level as loggers have it.
  var loggerLevel: Logger.Level { Logger.Level(rawValue: level.rawValue) ?? .info }

  private static func index(_ level: LogLevel) -> Int { LogLevel.allCases.firstIndex(of: level) ?? 0 }
}
