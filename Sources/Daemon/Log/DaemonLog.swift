import Logging

/// What loggers of the daemon hand their lines to: one for each controller, with an output and a threshold for all.
struct DaemonLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  let label: String
  /// What is logged at all; the same for all loggers.
  let threshold: LogThreshold

  /// - Parameter label: the controller, or "nvmed".
  init(label: String, threshold: LogThreshold) {
    self.label = label
    self.threshold = threshold
  }

  var logLevel: Logger.Level {
    get { threshold.loggerLevel }
    set { threshold.level = LogLevel(rawValue: newValue.rawValue) ?? .error }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    threshold.output.write(
      LogRecord(level: event.level, label: label, message: "\(event.message)", metadata, event.metadata))
  }
}
