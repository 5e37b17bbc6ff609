// The names of statistics and limits in JSON, which stay the same between versions.

extension ControllerStatistics {
  enum CodingKeys: String, CodingKey {
    case commands, failures, doorbells, interrupts
    case mediaErrors = "media_errors"
    case wakeUps = "wake_ups"
    case completionBatches = "completion_batches"
    case inFlight = "in_flight"
  }
}

extension RateLimits {
  enum CodingKeys: String, CodingKey {
    case operations = "iops"
    case bytes = "bandwidth"
    case readOperations = "read_iops"
    case readBytes = "read_bandwidth"
    case writeOperations = "write_iops"
    case writtenBytes = "write_bandwidth"
  }
}

extension RateLimit {
  enum CodingKeys: String, CodingKey {
    case burst
    case perSecond = "per_second"
  }
}
