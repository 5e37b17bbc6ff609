import TOML

/// What no key shows by itself: keys that need or exclude each other, and things that two owners must not share.
struct ConfigurationConsistency {
  private let file: String?
  private let daemon: ReadTable<DaemonConfiguration>
  private let metrics: ReadTable<DaemonConfiguration>
  private let controllers: [ReadController]
  /// What is inconsistent. A key that was refused for its value is not complained about again.
  private(set) var errors: [ConfigurationError] = []

  /// Checks `controllers`, `daemon` and `metrics` against each other.
  init(
    file: String?, daemon: ReadTable<DaemonConfiguration>,
    metrics: ReadTable<DaemonConfiguration> = ReadTable(model: .unset), controllers: [ReadController]
  ) {
    self.file = file
    self.daemon = daemon
    self.metrics = metrics
    self.controllers = controllers
    checkThreads()
    checkSockets()
    for controller in controllers { check(controller) }
    checkSharing()
  }

  /// The whole configuration.
  var configuration: DaemonConfiguration {
    var configuration = daemon.model
    configuration.controllers = controllers.map { read in
      var controller = read.table.model
      controller.namespaces = read.namespaces.map(\.model)
      return controller
    }
    return configuration
  }

  private mutating func report(_ keyPath: String, at position: SourcePosition?, _ message: String) {
    errors.append(ConfigurationError(file: file, position: position, keyPath: keyPath, message: message))
  }

  // MARK: Keys that depend on others

  private mutating func checkThreads() {
    if daemon.refused.isDisjoint(with: ["user", "group"]), daemon.model.group != nil, daemon.model.user == nil {
      report("daemon.group", at: daemon.position(of: "group"), "has no effect without user; write user too")
    }
    guard daemon.refused.isDisjoint(with: ["io_threads", "io_cpus"]) else { return }
    let (threads, cpus) = (daemon.model.ioThreads, daemon.model.ioCPUs.count)
    if cpus != 0, cpus != threads {
      report(
        "daemon.io_cpus", at: daemon.position(of: "io_cpus"),
        "lists \(cpus) CPUs for \(threads) I/O threads; list one for each, or none")
    }
  }

  /// The daemon's own sockets are nobody else's.
  private mutating func checkSockets() {
    var taken: [(path: String, owner: String)] = []
    if !daemon.refused.contains("control_socket"), let path = daemon.model.controlSocket {
      taken.append((path, "the control socket"))
    }
    if let path = metrics.model.metricsAddress?.path {
      for other in taken where other.path == path {
        report(
          "metrics.listen", at: metrics.position(of: "listen"),
          "\(quoted(path)) is \(other.owner) too; write different paths")
      }
      taken.append((path, "the socket of the metrics"))
    }
    for controller in controllers {
      for other in taken where controller.table.model.socketPath == other.path {
        report(
          "controller.socket", at: controller.table.position(of: "socket"),
          "\(quoted(other.path)) is \(other.owner) too; write different paths")
      }
    }
  }

  private mutating func check(_ controller: ReadController) {
    let table = controller.table
    if let thread = table.model.ioThread, !table.refused.contains("io_thread"), !daemon.refused.contains("io_threads"),
      thread >= daemon.model.ioThreads
    {
      report(
        "controller.io_thread", at: table.position(of: "io_thread"),
        "\(thread) is out of range; write an integer below io_threads, which is \(daemon.model.ioThreads)")
    }
    if table.refused.isDisjoint(with: ["vendor_id", "device_id"]),
      (table.model.vendorID == nil) != (table.model.deviceID == nil)
    {
      let missing = table.model.vendorID == nil ? "vendor_id" : "device_id"
      report(
        "controller.\(missing)", at: table.position(of: missing), "missing; write vendor_id and device_id, or neither")
    }
    if table.refused.isDisjoint(with: ["doorbells", "shadow_doorbells"]), table.model.doorbells == .poll,
      table.model.shadowDoorbells == .required
    {
      report(
        "controller.shadow_doorbells", at: table.position(of: "shadow_doorbells"),
        "\"required\" is for eventfds and has no use with doorbells = \"poll\"; write \"on\" or \"off\"")
    }
    if table.refused.isDisjoint(with: ["doorbells", "post_write"]), table.model.doorbells == .poll,
      table.model.postWrite != .auto
    {
      report(
        "controller.post_write", at: table.position(of: "post_write"),
        "has no effect with doorbells = \"poll\"; remove it")
    }
    checkLimits(table)
    checkIdentifiers(controller)
    let limit = ConfigurationSchema.namespaceLimit
    if controller.namespaces.count > limit {
      report(
        "controller.namespace", at: controller.namespaces[limit].position,
        "is number \(limit + 1); a controller has at most \(limit) namespaces")
    }
    for namespace in controller.namespaces where !namespace.refused.contains("backend") { check(namespace) }
  }

  /// A burst is one of a limit.
  private mutating func checkLimits(_ table: ReadTable<ControllerConfiguration>) {
    let limits = table.model.limits
    let all: [(String, LimitsConfiguration.Limit)] = [
      ("iops", limits.operations), ("bandwidth", limits.bytes), ("read_iops", limits.readOperations),
      ("read_bandwidth", limits.readBytes), ("write_iops", limits.writeOperations),
      ("write_bandwidth", limits.writtenBytes),
    ]
    for (key, limit) in all
    where limit.burst != nil && limit.perSecond == nil && !table.refused.contains("\(key)_limit") {
      report(
        "controller.\(key)_burst", at: table.position(of: "\(key)_burst"),
        "has no effect without \(key)_limit; write that too, or remove it")
    }
  }

  private mutating func checkIdentifiers(_ controller: ReadController) {
    var first: [Int: ReadTable<NamespaceConfiguration>] = [:]
    for namespace in controller.namespaces where !namespace.refused.contains("nsid") {
      guard let nsid = namespace.model.nsid else { continue }
      guard let other = first[nsid] else {
        first[nsid] = namespace
        continue
      }
      let line = other.position(of: "nsid").map { " in line \($0.line)" } ?? ""
      report(
        "controller.namespace.nsid", at: namespace.position(of: "nsid"),
        "\(nsid) is that of another namespace\(line); write a different one for each namespace of a controller")
    }
  }

  private mutating func check(_ namespace: ReadTable<NamespaceConfiguration>) {
    let model = namespace.model
    let path = "controller.namespace."
    let isFile = model.backend == .file
    for key in isFile ? ["size"] : ["image", "cache", "lock"] where namespace.keys[key] != nil {
      report(
        path + key, at: namespace.position(of: key),
        "has no effect with backend = \"\(model.backend.rawValue)\"; remove it")
    }
    if isFile, model.imagePath == nil, model.inheritedImage == nil, !namespace.refused.contains("image") {
      report(
        path + "image", at: namespace.position, "missing; write for example image = \"/var/lib/nvmed/disk0.img\"")
    }
    guard !isFile, namespace.refused.isDisjoint(with: ["size", "block_size"]) else { return }
    guard let size = model.size else {
      report(path + "size", at: namespace.position, "missing; write for example size = \"1GiB\"")
      return
    }
    if model.blockSize > 0, size % UInt64(model.blockSize) != 0 {
      report(
        path + "size", at: namespace.position(of: "size"),
        "\(size) bytes is no whole number of blocks; write a multiple of block_size, which is \(model.blockSize)")
    }
  }

  // MARK: Things that must differ

  /// One use of something that others must not use.
  private struct Use {
    let value: String
    let owner: String
    let position: SourcePosition?
    var isReadOnly = false
  }

  private mutating func checkSharing() {
    func uses(_ key: String, _ value: (ControllerConfiguration) -> String?) -> [Use] {
      controllers.compactMap { controller in
        let table = controller.table
        guard !table.refused.contains(key), let value = value(table.model) else { return nil }
        return Use(value: value, owner: "controller \(quoted(table.model.name))", position: table.position(of: key))
      }
    }
    func uses(_ key: String, _ value: (NamespaceConfiguration) -> String?) -> [Use] {
      controllers.flatMap { controller in
        controller.namespaces.enumerated().compactMap { index, table in
          guard !table.refused.contains(key), let value = value(table.model) else { return nil }
          let owner = "namespace \(index + 1) of controller \(quoted(controller.table.model.name))"
          return Use(
            value: value, owner: owner, position: table.position(of: key), isReadOnly: table.model.isReadOnly)
        }
      }
    }
    reportShared("controller.name", uses("name") { $0.name }, "write a different name for each controller")
    reportShared("controller.serial", uses("serial") { $0.serial }, "write a different serial for each controller")
    reportShared("controller.socket", uses("socket") { $0.socketPath }, "write a different socket for each controller")
    reportShared(
      "controller.namespace.image", uses("image") { $0.imagePath },
      "use another image, or write read_only = true in both", unless: { $0.isReadOnly && $1.isReadOnly })
    reportShared(
      "controller.namespace.image", uses("image") { $0.inheritedImage.map { "descriptor \($0)" } },
      "hand over one descriptor for each namespace")
    reportShared(
      "controller.socket", uses("socket") { $0.inheritedSocket.map { "descriptor \($0)" } },
      "hand over one socket for each controller")
    let identifiers: [(String, @Sendable (NamespaceConfiguration) -> [UInt8]?)] = [
      ("uuid", { $0.uuid }), ("nguid", { $0.nguid }), ("eui64", { $0.eui64 }),
    ]
    for (key, value) in identifiers {
      reportShared(
        "controller.namespace.\(key)", uses(key) { value($0).map(hexadecimal) },
        "write a different \(key) for each namespace")
    }
  }

  /// Complains of every use after the first of the same bytes.
  private mutating func reportShared(
    _ keyPath: String, _ uses: [Use], _ advice: String, unless allowed: (Use, Use) -> Bool = { _, _ in false }
  ) {
    var first: [[UInt8]: Use] = [:]
    for use in uses {
      guard let other = first[Array(use.value.utf8)] else {
        first[Array(use.value.utf8)] = use
        continue
      }
      if allowed(other, use) { continue }
      let line = other.position.map { " in line \($0.line)" } ?? ""
      report(keyPath, at: use.position, "\(quoted(use.value)) is that of \(other.owner)\(line) too; \(advice)")
    }
  }
}
