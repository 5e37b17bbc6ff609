/// The configuration file: every table and key, what it may hold, its default and its meaning.
public enum ConfigurationSchema {
  /// The table `[daemon]`.
  static let daemon = ConfigurationTable<DaemonConfiguration>(
    path: "daemon", header: "[daemon]", meaning: "The process as a whole.",
    settings: [
      ConfigurationSetting(
        "io_threads", \.ioThreads, .integer(1...64),
        meaning: "Threads that process I/O queues. One serves several controllers; more than the host has free CPUs "
          + "are slower than fewer."),
      ConfigurationSetting(
        "io_cpus", \.ioCPUs, .cpus,
        meaning: "The CPU of each I/O thread, in order: as many as io_threads. Empty: the kernel places them."),
      ConfigurationSetting(
        "log_level", \.logLevel, .choice, meaning: "The least important messages that are still logged."),
      ConfigurationSetting(
        "log_format", \.logFormat, .choice,
        meaning: "What log lines look like: \"plain\" and \"json\" go to standard error, \"journald\" sends entries "
          + "with fields to the journal. \"auto\" is \"journald\" where standard error goes to the journal, else \"plain\"."
      ),
      ConfigurationSetting(
        "worker_threads", \.workerThreads, .integer(1...64),
        meaning: "Threads for work that may take long: flush, discard, format."),
      ConfigurationSetting(
        "spin_us", \.spinMicroseconds, .integer(0...1000),
        meaning:
          "Microseconds that an I/O thread looks on for work after work before it sleeps, at most; the time tunes "
          + "itself below that. 0: it sleeps at once."),
      ConfigurationSetting(
        "poll_sleep_us", \.pollSleepMicroseconds, .integer(1...100_000),
        meaning: "Microseconds that the first command of an idle controller with doorbells = \"poll\" waits, at most."),
      ConfigurationSetting(
        "control_socket", \.controlSocket, .path(107),
        meaning: "The socket of `nvmed ctl` and `nvmed top`: root and the user that nvmed runs as may connect, and "
          + "control_group.",
        absence: "Default: none, so that several daemons need not agree on one. nvmed ctl looks at "
          + "/run/nvmed/control.sock where it is not told.",
        example: "\"/run/nvmed/control.sock\""),
      ConfigurationSetting(
        "control_group", \.controlGroup, .identifyText(32),
        meaning: "Name or number of a group whose members may connect to control_socket too. They can have nvmed open "
          + "any file that it may open.",
        absence: "Default: none.", example: "\"nvmed\""),
      ConfigurationSetting(
        "sandbox", \.sandbox, .choice,
        meaning: "What nvmed gives up when it has started: system calls, capabilities and files that it does not need "
          + "(\"on\"); system calls that it should not need are only logged by the kernel (\"log\"); nothing "
          + "(\"off\"). For finding out why something fails."),
      ConfigurationSetting(
        "user", \.user, .name, meaning: "The user that nvmed becomes when its images are open, where root starts it.",
        absence: "Default: it stays who starts it.", example: "\"nvmed\""),
      ConfigurationSetting(
        "group", \.group, .name, meaning: "The group that it becomes a member of with user.",
        absence: "Default: the user's.", example: "\"nvmed\""),
      ConfigurationSetting(
        "image_folders", \.imageFolders, .paths,
        meaning: "Folders that images may be opened from while nvmed runs, by a reload or by nvmed ctl; the sandbox "
          + "leaves no others open, but images may be handed over as descriptors. Empty: the folders of the images "
          + "that it starts with.", example: "[\"/var/lib/nvmed\"]"),
    ], tables: [])

  /// The table `[metrics]`.
  static let metrics = ConfigurationTable<DaemonConfiguration>(
    path: "metrics", header: "[metrics]", meaning: "Metrics for Prometheus, over HTTP at /metrics.",
    settings: [
      ConfigurationSetting(
        "listen", \.metricsAddress, .metricsAddress,
        meaning: "Where they are served. There is no authentication: whoever can connect may read them.",
        absence: "Default: they are not served.", example: "\"127.0.0.1:9911\"")
    ], tables: [])

  /// Each table `[[controller]]`.
  static let controller = ConfigurationTable<ControllerConfiguration>(
    path: "controller", header: "[[controller]]",
    meaning: "One NVMe controller, for one virtual machine. Repeat the table for more.",
    settings: [
      ConfigurationSetting(
        "name", \.name, .name,
        meaning: "Its name in logs, in metrics and on the control socket; different for each controller.",
        absence: .refused, example: "\"disk0\"", isSetInExample: true),
      ConfigurationSetting(
        "socket", \.socketPath, .path(107),
        meaning: "The vfio-user socket that the virtual machine monitor connects to.",
        absence: "Default: the socket that whoever starts the daemon hands over.", example: "\"/run/nvmed/disk0.sock\"",
        isSetInExample: true),
      ConfigurationSetting(
        "serial", \.serial, .identifyText(20),
        meaning: "Serial number; different for each controller. Guests name disks by it.",
        absence: .described("Default: the name."), example: "\"NVMED0001\""),
      ConfigurationSetting("model", \.model, .identifyText(40), meaning: "Model number that the guest shows."),
      ConfigurationSetting(
        "firmware", \.firmware, .identifyText(8), meaning: "Firmware revision that the guest shows."),
      ConfigurationSetting(
        "io_queues", \.ioQueues, .integer(1...64),
        meaning: "I/O queue pairs that the guest can create; one per virtual CPU is best."),
      ConfigurationSetting(
        "queue_entries", \.queueEntries, .integer(2...4096),
        meaning:
          "Entries that a queue can have. Doorbells of larger queues than 256 entries take a slower path on some "
          + "hosts."),
      ConfigurationSetting(
        "max_data_transfer", \.maximumDataTransfer, .powerOfTwoSize(8 << 10...2 << 20),
        meaning: "The most that one command transfers."),
      ConfigurationSetting(
        "doorbells", \.doorbells, .choice,
        meaning: "How the monitor may ring doorbells, beside messages over the socket: by eventfds and shared memory "
          + "(\"ioeventfd\"), or by storing into a page that an I/O thread looks at all the time (\"poll\": latency "
          + "bought with a CPU, and the only way for SPDK's host driver). \"auto\" is \"ioeventfd\"."),
      ConfigurationSetting(
        "post_write", \.postWrite, .choice,
        meaning: "How the value of a doorbell arrives that is rung by eventfd: the host's KVM or the monitor stores it "
          + "(\"kernel\": ioeventfds with POST_WRITE, of a patched kernel), an eBPF program of the daemon does so "
          + "(\"ebpf\": any kernel from 5.10 on and plain ioeventfds; needs root, or CAP_BPF and CAP_PERFMON, and the PID "
          + "namespace of the host), or it does not, and doorbells are messages (\"off\"). \"auto\" is \"kernel\" where "
          + "KVM can, else \"ebpf\" where that can be loaded and the monitor runs a virtual machine, else \"kernel\"."),
      ConfigurationSetting(
        "shadow_doorbells", \.shadowDoorbells, .choice,
        meaning: "Whether the guest's driver may keep doorbell values in its own memory and ring only where that is "
          + "needed (Doorbell Buffer Config): \"on\" spares it exits; \"required\" gives the monitor plain "
          + "ioeventfds too, which every KVM has, and a guest whose driver does not use the buffers gets no disk."),
      ConfigurationSetting(
        "vendor_id", \.vendorID, .pciID, meaning: "PCI vendor id; goes together with device_id.",
        absence: "Default: 0x1af4.", example: "0x1af4"),
      ConfigurationSetting(
        "device_id", \.deviceID, .pciID, meaning: "PCI device id; goes together with vendor_id.",
        absence: "Default: 0x10f0.",
        example: "0x10f0"),
      ConfigurationSetting(
        "io_thread", \.ioThread, .integer(0...63),
        meaning: "The I/O thread that processes all queues of the controller, counted from 0.",
        absence: "Default: queues are spread over all threads.", example: "0"),
    ] + limits, tables: ["namespace"])

  /// The keys of rate limits.
  static let limitKeys = limits.map(\.key)

  /// The rate limits of a controller, which may change at run time.
  private static let limits: [ConfigurationSetting<ControllerConfiguration>] =
    operationLimit("", \.limits.operations.perSecond, \.limits.operations.burst, "I/O commands of all kinds")
    + byteLimit("", \.limits.bytes.perSecond, \.limits.bytes.burst, "Bytes read and written")
    + operationLimit(
      "read_", \.limits.readOperations.perSecond, \.limits.readOperations.burst,
      "I/O commands that read (Read, Compare, Verify)")
    + byteLimit("read_", \.limits.readBytes.perSecond, \.limits.readBytes.burst, "Bytes read")
    + operationLimit(
      "write_", \.limits.writeOperations.perSecond, \.limits.writeOperations.burst,
      "I/O commands that write (Write, Write Zeroes, Dataset Management)")
    + byteLimit("write_", \.limits.writtenBytes.perSecond, \.limits.writtenBytes.burst, "Bytes written")

  private typealias ControllerField = any WritableKeyPath<ControllerConfiguration, UInt64?> & Sendable

  private static func operationLimit(
    _ prefix: String, _ rate: ControllerField, _ burst: ControllerField, _ what: String
  ) -> [ConfigurationSetting<ControllerConfiguration>] {
    [
      ConfigurationSetting(
        "\(prefix)iops_limit", rate, .count(1...10_000_000),
        meaning: "\(what) in a second at most, all queues together.",
        absence: "Default: no limit.", example: "5000"),
      ConfigurationSetting(
        "\(prefix)iops_burst", burst, .count(1...1_000_000_000),
        meaning: "How many of them may come at once after a rest; goes with \(prefix)iops_limit.",
        absence: "Default: those of 100 ms.", example: "50000"),
    ]
  }

  private static func byteLimit(
    _ prefix: String, _ rate: ControllerField, _ burst: ControllerField, _ what: String
  ) -> [ConfigurationSetting<ControllerConfiguration>] {
    [
      ConfigurationSetting(
        "\(prefix)bandwidth_limit", rate, .bandwidth(4 << 10...1 << 40),
        meaning: "\(what) in a second at most, all queues together.", absence: "Default: no limit.",
        example: "\"200MiB/s\""),
      ConfigurationSetting(
        "\(prefix)bandwidth_burst", burst, .size(4 << 10...1 << 50),
        meaning: "How many of them may come at once after a rest; goes with \(prefix)bandwidth_limit.",
        absence: "Default: those of 100 ms.", example: "\"2GiB\""),
    ]
  }

  /// Most namespaces of a controller.
  static let namespaceLimit = 64

  /// What the identifiers of a namespace are that has none.
  private static let identifierDefault =
    "Default: derived from the serial number and the image: a file's name, what the kernel knows a device by."

  /// Each table `[[controller.namespace]]`.
  static let namespace = ConfigurationTable<NamespaceConfiguration>(
    path: "controller.namespace", header: "[[controller.namespace]]",
    meaning: "One namespace, a disk to the guest, of the controller above it. Repeat the table for more, up to "
      + "\(namespaceLimit).",
    settings: [
      ConfigurationSetting(
        "nsid", \.nsid, .integer(1...namespaceLimit),
        meaning:
          "Namespace identifier: what the guest calls it by. A namespace without one keeps the one that it got as "
          + "long as nvmed runs, but may get another when the file has changed and nvmed starts again.",
        absence: "Default: the lowest that no other namespace of the controller has, in the order of the file.",
        example: "1"),
      ConfigurationSetting(
        "backend", \.backend, .choice,
        meaning:
          "What it is made of: a raw image or block device, nothing (reads give zeros, writes vanish), or memory "
          + "that is gone when the daemon ends."),
      ConfigurationSetting(
        "image", \.imagePath, .path(4095), meaning: "The image or block device; for backend = \"file\".",
        absence: "Needed there.", example: "\"/var/lib/nvmed/disk0.img\"", isSetInExample: true),
      ConfigurationSetting(
        "size", \.size, .size(4 << 10...1 << 50),
        meaning: "The size, in whole blocks; for backend = \"null\" or \"memory\". A file has its own.",
        absence: "Needed there.", example: "\"1GiB\""),
      ConfigurationSetting(
        "block_size", \.blockSize, .size(oneOf: [512, 4096]), meaning: "Bytes of a logical block."),
      ConfigurationSetting("read_only", \.isReadOnly, .boolean, meaning: "Whether writes are refused."),
      ConfigurationSetting(
        "cache", \.cache, .choice,
        meaning: "Whether I/O goes past the host's page cache (\"direct\", by O_DIRECT) or through it."),
      ConfigurationSetting(
        "discard", \.discard, .boolean, meaning: "Whether blocks that the guest deallocates are given back to the host."
      ),
      ConfigurationSetting(
        "lock", \.lock, .boolean,
        meaning: "Whether the image is locked so that no second process writes to it."),
      ConfigurationSetting(
        "uuid", \.uuid, .uuid, meaning: "Namespace UUID; different for each namespace.",
        absence: identifierDefault,
        example: "\"5d5b21d5-6d2b-4f0e-9a3c-1f0e6f6f3c11\""),
      ConfigurationSetting(
        "nguid", \.nguid, .hexadecimalIdentifier(16),
        meaning: "Namespace Globally Unique Identifier; different for each namespace.", absence: identifierDefault,
        example: "\"6b3d0e1f2a4c5b6d0024ac5f00000001\""),
      ConfigurationSetting(
        "eui64", \.eui64, .hexadecimalIdentifier(8),
        meaning: "IEEE Extended Unique Identifier; different for each namespace.", absence: identifierDefault,
        example: "\"0024ac5f00000001\""),
    ], tables: [])

  /// Tables that a file begins with.
  static let topLevel = ["daemon", "metrics", "controller"]

  /// The header under which `key` is known, if any.
  static func header(of key: String) -> String? {
    if daemon.keys.contains(key) { return daemon.header }
    if metrics.keys.contains(key) { return metrics.header }
    if controller.settings.contains(where: { $0.key == key }) { return controller.header }
    if namespace.keys.contains(key) { return namespace.header }
    return nil
  }
}
