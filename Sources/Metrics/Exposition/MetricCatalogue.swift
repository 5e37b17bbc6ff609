import NVMeController

/// Every metric of nvmed: the exposition and its documentation come from this list.
enum MetricCatalogue {
  static let metrics: [Metric] = daemon + threads + commands + doorbells + controllers

  // MARK: The daemon

  private static let daemon: [Metric] = [
    Metric("nvmed_build_info", .gauge, ["version"], "1; the label says which nvmed this is.") {
      [Metric.Sample(labels: [$0.version], value: .integer(1))]
    },
    .single("process_start_time_seconds", .gauge, "When the daemon began to serve: seconds since 1970.") {
      .seconds($0.startTime)
    },
    .single("process_cpu_seconds_total", .counter, "CPU time of all threads of the daemon, in seconds.") {
      .seconds($0.cpuTime)
    },
  ]

  // MARK: I/O threads

  private static let threads: [Metric] = [
    .thread("nvmed_io_thread_cpu_seconds_total", .counter, "CPU time of an I/O thread, in seconds.") {
      .seconds($0.cpuTime)
    },
    .thread("nvmed_io_thread_wakeups_total", .counter, "Returns of an I/O thread from a sleep.") {
      .integer($0.statistics.wakeUps)
    },
    .thread(
      "nvmed_io_thread_rounds_total", .counter, "Rounds of an I/O thread in which a command was fetched or completed."
    ) { .integer($0.statistics.rounds) },
    Metric(
      "nvmed_io_thread_context_switches_total", .counter, ["thread", "type"],
      "Context switches of an I/O thread: voluntary, as it waited, or involuntary, as something else ran."
    ) { snapshot in
      snapshot.ioThreads.flatMap {
        [
          Metric.Sample(labels: [$0.name, "voluntary"], value: .integer($0.statistics.voluntaryContextSwitches)),
          Metric.Sample(labels: [$0.name, "involuntary"], value: .integer($0.statistics.involuntaryContextSwitches)),
        ]
      }
    },
    .thread(
      "nvmed_io_thread_submission_batch_size", .histogram,
      "Requests that an I/O thread handed to the kernel in one round."
    ) { .batches($0.statistics.submissions) },
    .thread("nvmed_io_thread_aio_in_flight", .gauge, "Requests of an I/O thread that the kernel has.") {
      .integer($0.statistics.aioInFlight)
    },
    .thread("nvmed_io_thread_aio_capacity", .gauge, "Requests that the aio context of an I/O thread takes.") {
      .integer($0.statistics.aioCapacity)
    },
  ]

  // MARK: Commands

  private static let commands: [Metric] = [
    .controller(
      "nvmed_commands_total", .counter, by: "kind", "I/O commands completed, the failed ones among them."
    ) { controller in
      CommandKind.allCases.map { ($0.rawValue, .integer(controller.statistics[$0].latency.count)) }
    },
    .controller(
      "nvmed_command_bytes_total", .counter, by: "kind", "Bytes transferred by I/O commands that succeeded."
    ) { controller in
      [CommandKind.read, .write, .compare, .verify].map {
        ($0.rawValue, .integer(controller.statistics[$0].bytes))
      }
    },
    .controller(
      "nvmed_command_latency_seconds", .histogram, by: "kind",
      "Time from the round in which a command was fetched to the one in which its completion was posted, in seconds; "
        + "the sum is right within 3.2 %. Kinds of which there were none are left out."
    ) { controller in
      CommandKind.allCases.compactMap { kind in
        controller.statistics.commands[kind].map { (kind.rawValue, .latency($0.latency)) }
      }
    },
    .controller(
      "nvmed_command_failures_total", .counter, by: "status",
      "I/O commands that failed, by the name and numbers of their status; those that never occurred are left out."
    ) { controller in
      controller.statistics.failures.map { ($0.name, .integer($0.count)) }
    },
    .controller(
      "nvmed_media_errors_total", .counter, "I/O commands that failed because of the media or the host's file."
    ) { .integer($0.statistics.mediaErrors) },
    .controller("nvmed_commands_in_flight", .gauge, "I/O commands that were fetched and have not completed.") {
      .integer($0.statistics.inFlight)
    },
  ]

  // MARK: Doorbells and interrupts

  private static let doorbells: [Metric] = [
    .controller(
      "nvmed_doorbells_total", .counter, by: "path",
      "Doorbells of I/O queues: register writes by message or by eventfd and slot, each of them; values found in a "
        + "polled page or in the guest's shadow doorbell buffer, which may be fewer than were stored."
    ) { controller in
      DoorbellPath.allCases.map { ($0.rawValue, .integer(controller.statistics.doorbells[$0] ?? 0)) }
    },
    .controller(
      "nvmed_doorbell_wakeups_total", .counter,
      "Events of doorbells that I/O threads took; several doorbells may share one."
    ) { .integer($0.statistics.wakeUps) },
    .controller("nvmed_interrupts_total", .counter, "Interrupts sent for I/O queues.") {
      .integer($0.statistics.interrupts)
    },
    .controller(
      "nvmed_completion_batch_size", .histogram,
      "Completions posted to one queue in one round of its thread, which share an interrupt."
    ) { .batches($0.statistics.completionBatches) },
  ]

  // MARK: Controllers

  private static let controllers: [Metric] = [
    Metric(
      "nvmed_controller_state", .gauge, ["controller", "state"], "1 for the state that a controller is in, else 0."
    ) { snapshot in
      snapshot.controllers.flatMap { controller in
        snapshot.controllerStates.map {
          Metric.Sample(labels: [controller.name, $0], value: .integer($0 == controller.state ? 1 : 0))
        }
      }
    },
    .controller("nvmed_connections_total", .counter, "Clients that were served.") { .integer($0.connections) },
    .controller(
      "nvmed_connections_refused_total", .counter, "Clients that were refused, as the controller had one already."
    ) { .integer($0.refusedConnections) },
    .controller(
      "nvmed_log_lines_suppressed_total", .counter, "Log lines that were left out, as guest or client caused too many."
    ) { .integer($0.suppressedLogLines) },
    .controller("nvmed_control_thread_cpu_seconds_total", .counter, "CPU time of a control thread, in seconds.") {
      .seconds($0.controlCPUTime)
    },
    .controller("nvmed_dma_ranges", .gauge, "Ranges of guest memory that the client has mapped.") {
      .integer(UInt64(clamping: $0.dmaRanges))
    },
    .controller("nvmed_dma_bytes", .gauge, "Bytes of guest memory that the client has mapped.") {
      .integer($0.dmaBytes)
    },
    .controller("nvmed_queues", .gauge, by: "type", "I/O queues that there are.") {
      [
        ("submission", .integer(UInt64(clamping: $0.submissionQueues))),
        ("completion", .integer(UInt64(clamping: $0.completionQueues))),
      ]
    },
    .controller("nvmed_namespace_size_bytes", .gauge, by: "nsid", "Bytes of a namespace.") {
      $0.namespaces.map { ("\($0.nsid)", .integer($0.size)) }
    },
    .controller(
      "nvmed_namespace_write_cache_failed", .gauge, by: "nsid",
      "1 where a flush of a namespace has failed: all later ones fail, and what the guest believes safe may be lost."
    ) {
      $0.namespaces.map { ("\($0.nsid)", .integer($0.writeCacheFailed ? 1 : 0)) }
    },
  ]
}
