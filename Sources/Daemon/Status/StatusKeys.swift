// The names of a status in JSON: those of configuration files where there are such, times with their unit. They stay
// the same between versions.

extension DaemonStatus {
  enum CodingKeys: String, CodingKey {
    case version, controllers
    case processID = "process_id"
    case uptime = "uptime_ns"
    case logLevel = "log_level"
    case ioThreads = "io_threads"
    case workerThreads = "worker_threads"
  }
}

extension IOThreadStatus {
  enum CodingKeys: String, CodingKey {
    case name, cpu, statistics
    case cpuTime = "cpu_time_ns"
  }
}

extension ControllerStatus {
  enum CodingKeys: String, CodingKey {
    case name, serial, state, client, doorbells, queues, dma, namespaces, limits, statistics, connections
    case refusedConnections = "refused_connections"
    case suppressedLogLines = "suppressed_log_lines"
    case socketPath = "socket"
    case controllerStatus = "csts"
    case controllerConfiguration = "cc"
    case interruptVectors = "interrupt_vectors"
    case installedVectors = "installed_vectors"
    case isLimited = "limited"
    case controlCPUTime = "control_cpu_time_ns"
  }
}

extension ClientStatus {
  enum CodingKeys: String, CodingKey {
    case processID = "process_id"
  }
}

extension DMAStatus {
  enum CodingKeys: String, CodingKey {
    case mapCount = "ranges"
    case byteCount = "bytes"
  }
}

extension DMAMapStatus {
  enum CodingKeys: String, CodingKey {
    case mapCount = "ranges"
    case byteCount = "bytes"
    case ranges = "map"
  }
}

extension DMARangeStatus {
  enum CodingKeys: String, CodingKey {
    case iova, size
    case isReachable = "reachable"
    case isReadable = "readable"
    case isWritable = "writable"
  }
}

extension DoorbellStatus {
  enum CodingKeys: String, CodingKey {
    case path
    case choice = "doorbells"
    case postWrite = "post_write"
    case shadowDoorbells = "shadow_doorbells"
  }
}

extension QueueStatus {
  enum CodingKeys: String, CodingKey {
    case kind, size, head, tail
    case identifier = "id"
    case thread = "io_thread"
    case completionQueue = "completion_queue"
    case inFlight = "in_flight"
    case interruptVector = "interrupt_vector"
  }
}

extension NamespaceStatus {
  enum CodingKeys: String, CodingKey {
    case nsid, backend, image, size, uuid, nguid, eui64
    case blockSize = "block_size"
    case isReadOnly = "read_only"
    case discards = "discard"
    case writeCacheFailed = "write_cache_failed"
  }
}

extension ErrorLogEntryStatus {
  enum CodingKeys: String, CodingKey {
    case status, lba, nsid
    case errorCount = "error_count"
    case submissionQueue = "submission_queue"
    case commandIdentifier = "command_id"
    case statusText = "status_text"
  }
}

extension ReloadReport {
  enum CodingKeys: String, CodingKey {
    case warnings
    case addedControllers = "added_controllers"
    case removedControllers = "removed_controllers"
    case addedNamespaces = "added_namespaces"
    case removedNamespaces = "removed_namespaces"
    case resizedNamespaces = "resized_namespaces"
    case changedLimits = "changed_limits"
    case logLevel = "log_level"
  }
}
