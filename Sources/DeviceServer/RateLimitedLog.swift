import LinuxIO
import Logging

/// A logger for what a guest or client can cause at will: a burst of lines, then one a second.
///
/// Lines of level notice and below have an allowance of their own, so that they cannot keep faults out of the log.
struct RateLimitedLog {
  private struct Allowance {
    var lines = ClientLimits.logBurst
    var last = Clock.monotonic
    var suppressed = 0

    /// Whether a line may be written now.
    mutating func take() -> Bool {
      let now = Clock.monotonic
      let earned = (now &- last) / ClientLimits.logInterval
      if earned > 0 {
        lines = min(ClientLimits.logBurst, lines + earned)
        last = now
      }
      guard lines > 0 else {
        suppressed += 1
        return false
      }
      lines -= 1
      return true
    }
  }

  var logger: Logger
  private var notices = Allowance()
  private var faults = Allowance()

  private let counters: DeviceCounters

  /// - Parameter counters: where lines are counted that are left out.
  init(_ logger: Logger, counters: DeviceCounters = DeviceCounters()) {
    self.logger = logger
    self.counters = counters
  }

  /// Logs a line, or counts it as left out.
  mutating func log(
    _ level: Logger.Level, _ message: @autoclosure () -> Logger.Message,
    _ fields: @autoclosure () -> Logger.Metadata = [:]
  ) {
    if level > .notice {
      RateLimitedLog.log(logger, level, message(), fields(), &faults, counters)
    } else {
      RateLimitedLog.log(logger, level, message(), fields(), &notices, counters)
    }
  }

  private static func log(
    _ logger: Logger, _ level: Logger.Level, _ message: @autoclosure () -> Logger.Message,
    _ fields: @autoclosure () -> Logger.Metadata, _ allowance: inout Allowance, _ counters: DeviceCounters
  ) {
    guard allowance.take() else { return counters.suppressLine() }
    if allowance.suppressed > 0 {
      logger.log(level: level, "\(allowance.suppressed) lines like the next were left out")
      allowance.suppressed = 0
    }
    logger.log(level: level, message(), metadata: fields())
  }
}
