import LinuxIO
import NVMeController
import Storage

extension Supervisor {
  /// Serves another configuration from now on, as far as guests need not notice more than namespaces and limits that
  /// change: controllers and namespaces that come and go, sizes, rate limits, the log level. Guests of what stays are not
  /// disturbed. Images that have changed their size have it noticed.
  ///
  /// Whatever cannot be changed, or not be opened, makes it change nothing.
  ///
  /// - Returns: what has changed.
  /// - Throws: everything that speaks against it.
  public func reload(_ new: DaemonConfiguration) throws(ReloadRefusal) -> ReloadReport {
    let outcome: Swift.Result<ReloadReport, ReloadRefusal>
    do throws(DaemonError) {
      outcome = try change { () throws(DaemonError) in
        do throws(ReloadRefusal) { return .success(try reloadInTurn(new)) } catch { return .failure(error) }
      }
    } catch { throw ReloadRefusal(reasons: [ReloadRefusal.Reason(message: error.description)]) }
    return try outcome.get()
  }

  private func reloadInTurn(_ new: DaemonConfiguration) throws(ReloadRefusal) -> ReloadReport {
    do throws(ConfigurationErrors) { try new.check() } catch {
      throw ReloadRefusal(reasons: error.errors.map { ReloadRefusal.Reason(keyPath: $0.keyPath, message: $0.message) })
    }
    let plan = ReloadPlan(from: configuration, to: new)
    guard plan.refusals.isEmpty else { throw ReloadRefusal(reasons: plan.refusals) }
    var prepared = try prepare(plan)
    return apply(plan, &prepared, new)
  }

  /// Everything that is new, open.
  private struct Prepared: ~Copyable {
    var controllers: FixedTable<OpenedController?>
    /// By the place of their controller in the plan's changes.
    var namespaces: [Int: [(nsid: UInt32, namespace: ServedNamespace)]] = [:]
  }

  /// Opens everything that is new. What is open already is closed where something cannot be opened.
  private func prepare(_ plan: ReloadPlan) throws(ReloadRefusal) -> Prepared {
    var reasons: [ReloadRefusal.Reason] = []
    var prepared = Prepared(controllers: FixedTable(count: plan.added.count) { _ in nil })
    let count = state.withLock { $0.controllers.count } - plan.removed.count + plan.added.count
    if count > Supervisor.controllerLimit {
      reasons.append(
        ReloadRefusal.Reason(
          keyPath: "controller", message: "\(count) controllers; write at most \(Supervisor.controllerLimit)"))
    }
    for (index, configuration) in plan.added.enumerated() {
      var nothing = HandedOver()
      do throws(DaemonError) {
        prepared.controllers[index] = try OpenedController.open(
          configuration, handedOver: &nothing, ways: ways,
          logger: Supervisor.makeLogger(configuration.name, threshold))
      } catch { reasons.append(ReloadRefusal.Reason(keyPath: "controller", message: hint(error, plan))) }
    }
    for (index, change) in plan.changes.enumerated() where !change.added.isEmpty {
      do throws(DaemonError) {
        prepared.namespaces[index] = try open(change)
      } catch { reasons.append(ReloadRefusal.Reason(keyPath: "controller.namespace", message: hint(error, plan))) }
    }
    guard reasons.isEmpty else { throw ReloadRefusal(reasons: reasons) }
    return prepared
  }

  /// A reason with what may be behind it.
  private func hint(_ error: DaemonError, _ plan: ReloadPlan) -> String {
    let takesAway = !plan.removed.isEmpty || plan.changes.contains { !$0.removed.isEmpty }
    return error.description
      + (takesAway ? " (what is removed in the same reload is still open: add it in the next one)" : "")
  }

  private func open(
    _ change: ReloadPlan.ControllerChange
  ) throws(DaemonError) -> [(nsid: UInt32, namespace: ServedNamespace)] {
    let controller = try controller(change.name)
    var used = Set(controller.state.withLock { $0.namespaces }.keys).subtracting(change.removed)
    used.formUnion(change.added.compactMap { $0.nsid.map { UInt32(clamping: $0) } })
    var opened: [(nsid: UInt32, namespace: ServedNamespace)] = []
    let whole = controller.configuration
    var others = whole.namespaces.filter { $0.nsid.map { !change.removed.contains(UInt32(clamping: $0)) } ?? true }
    for configuration in change.added {
      let limit = UInt32(ConfigurationSchema.namespaceLimit)
      guard
        let nsid = configuration.nsid.map({ UInt32(clamping: $0) }) ?? (1...limit).first(where: { !used.contains($0) })
      else { throw DaemonError("controller '\(change.name)' has no free namespace id") }
      used.insert(nsid)
      var nothing = HandedOver()
      opened.append(
        (
          nsid,
          try NamespaceOpening.open(
            configuration, nsid, serial: whole.serial, others: others, handedOver: &nothing,
            logger: controller.logger)
        ))
      others.append(configuration)
    }
    return opened
  }

  /// Makes the changes. What does not end in time is told, and ends later.
  private func apply(_ plan: ReloadPlan, _ prepared: inout Prepared, _ new: DaemonConfiguration) -> ReloadReport {
    var report = ReloadReport()
    report.warnings = plan.warnings
    func attempt(_ body: () throws(DaemonError) -> Void) -> Bool {
      do throws(DaemonError) {
        try body()
        return true
      } catch {
        report.warnings.append(error.description)
        return false
      }
    }
    if let level = plan.logLevel {
      setLogLevel(level)
      report.logLevel = level
    }
    for name in plan.removed {
      if attempt({ () throws(DaemonError) in try remove(try controller(name)) }) {
        report.removedControllers.append(name)
      }
    }
    for (index, change) in plan.changes.enumerated() {
      var controller: ServedController?
      guard attempt({ () throws(DaemonError) in controller = try self.controller(change.name) }), let controller else {
        continue
      }
      if let limits = change.limits, attempt({ () throws(DaemonError) in try set(limits.rateLimits, of: controller) }) {
        report.changedLimits.append(change.name)
      }
      func entry(_ nsid: UInt32, _ served: ServedNamespace?) -> ReloadReport.Namespace {
        let configuration = served?.configuration
        return ReloadReport.Namespace(
          controller: change.name, nsid: nsid,
          image: configuration?.imagePath ?? served?.namespace.backend.image?.path
            ?? configuration?.backend.rawValue ?? "")
      }
      func served(_ nsid: UInt32) -> ServedNamespace? { controller.state.withLock { $0.namespaces[nsid] } }
      for nsid in change.removed.sorted() {
        // No reference to the namespace, which is closed.
        let removed = entry(nsid, served(nsid))
        if attempt({ () throws(DaemonError) in try removeNamespace(nsid, of: controller) }) {
          report.removedNamespaces.append(removed)
        }
      }
      for nsid in change.kept.sorted() {
        guard let served = served(nsid) else { continue }
        let done = attempt { () throws(DaemonError) in
          if let size = change.resized[nsid] {
            try resize(served, nsid, to: size, of: controller)
          } else if served.namespace.backend.image != nil {
            _ = try resize(served, nsid, of: controller)
          }
        }
        let after = controller.state.withLock { $0.namespaces[nsid]?.namespace.blockCount }
        if done, after != served.namespace.blockCount { report.resizedNamespaces.append(entry(nsid, served)) }
      }
      for (nsid, namespace) in prepared.namespaces[index] ?? [] {
        if attempt({ () throws(DaemonError) in try add(namespace, nsid, to: controller) }) {
          report.addedNamespaces.append(entry(nsid, namespace))
        }
      }
    }
    for index in 0..<prepared.controllers.count {
      var opened = prepared.controllers[index].take()
      let name = plan.added[index].name
      let done = attempt { () throws(DaemonError) in
        guard let controller = opened.take() else { return }
        try serve(controller)
      }
      if done { report.addedControllers.append(name) }
    }
    return report
  }

  /// Gives a namespace that keeps no data another size.
  private func resize(
    _ served: ServedNamespace, _ nsid: UInt32, to size: UInt64, of controller: ServedController
  ) throws(DaemonError) {
    let before = served.namespace
    let backend: BlockBackend
    do throws(Errno) {
      backend = try BlockBackend(null: size, logicalBlockSize: before.backend.logicalBlockSize)
    } catch { throw DaemonError("namespace \(nsid) of controller '\(controller.name)': \(error)") }
    var resized = served
    resized.configuration.size = size
    resized.namespace = Namespace(
      backend: backend, nguid: before.nguid, uuid: before.uuid, eui64: before.eui64, discards: before.discards)
    try add(resized, nsid, to: controller)
  }
}
