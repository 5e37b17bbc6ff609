import Logging
import Synchronization

/// The least important lines that the process logs: all its loggers share one, which may change at any time.
final class LogThreshold: Sendable {
  private let index: Atomic<Int>

  init(_ level: LogLevel) { index = Atomic(LogThreshold.index(level)) }

  /// The level as the configuration has it.
  var level: LogLevel {
    get { LogLevel.allCases[index.load(ordering: .relaxed)] }
    set { index.store(LogThreshold.index(newValue), ordering: .relaxed) }
  }

  /// The level as loggers have it.
  var loggerLevel: Logger.Level { Logger.Level(rawValue: level.rawValue) ?? .info }

  private static func index(_ level: LogLevel) -> Int { LogLevel.allCases.firstIndex(of: level) ?? 0 }
}
