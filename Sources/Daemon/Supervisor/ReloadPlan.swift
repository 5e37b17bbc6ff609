/// The difference between what is served and what is to be served, and what of it cannot be had while guests run.
struct ReloadPlan {
  /// What changes of a controller that stays.
  struct ControllerChange: Equatable {
    let name: String
    var added: [NamespaceConfiguration] = []
    var removed: [UInt32] = []
    /// Namespaces that stay: their images may have another size.
    var kept: [UInt32] = []
    /// Namespaces without an image that are to have another size.
    var resized: [UInt32: UInt64] = [:]
    var limits: LimitsConfiguration?
  }

  private(set) var added: [ControllerConfiguration] = []
  private(set) var removed: [String] = []
  private(set) var changes: [ControllerChange] = []
  private(set) var logLevel: LogLevel?
  private(set) var refusals: [ReloadRefusal.Reason] = []
  private(set) var warnings: [String] = []

  /// - Parameters:
  ///   - old: what is served; every namespace with its identifier.
  ///   - new: what is to be served; checked.
  init(from old: DaemonConfiguration, to new: DaemonConfiguration) {
    compare("daemon", old, new, ConfigurationSchema.daemon, where: "", except: ["log_level"])
    compare("metrics", old, new, ConfigurationSchema.metrics, where: "", except: [])
    if new.logLevel != old.logLevel { logLevel = new.logLevel }
    for controller in new.controllers {
      if let before = old.controllers.first(where: { $0.name == controller.name }) {
        compare(before, controller)
      } else {
        added.append(controller)
      }
    }
    removed = old.controllers.map(\.name).filter { name in !new.controllers.contains { $0.name == name } }
  }

  /// Refuses each key whose value is another than before.
  private mutating func compare<Model>(
    _ path: String, _ old: Model, _ new: Model, _ schema: ConfigurationTable<Model>, where place: String,
    except: Set<String>
  ) {
    for setting in schema.settings where !except.contains(setting.key) && !setting.isEqual(old, new) {
      refusals.append(
        ReloadRefusal.Reason(
          keyPath: "\(path).\(setting.key)", message: "\(place)cannot change while it runs; \(advice(path))"))
    }
  }

  private func advice(_ path: String) -> String {
    switch path {
    case "daemon": "restart nvmed for it"
    case "controller": "remove the controller and add it again, which ends its guest's use of it"
    default: "remove the namespace and add it again, in two reloads"
    }
  }

  private mutating func compare(_ old: ControllerConfiguration, _ new: ControllerConfiguration) {
    compare(
      "controller", old, new, ConfigurationSchema.controller, where: "\(quoted(new.name)): ",
      except: Set(ConfigurationSchema.limitKeys))
    var change = ControllerChange(name: new.name)
    if old.limits != new.limits { change.limits = new.limits }
    var left = old.namespaces
    var unmatched: [NamespaceConfiguration] = []
    for (index, namespace) in new.namespaces.enumerated() {
      guard let place = ReloadPlan.match(namespace, in: left) else {
        unmatched.append(namespace)
        continue
      }
      let before = left.remove(at: place)
      let nsid = UInt32(clamping: before.nsid ?? 0)
      compare(before, namespace, nsid, of: new.name, &change)
      let later = new.namespaceIdentifiers[index]
      if namespace.nsid == nil, later != nsid {
        warnings.append(
          "namespace \(nsid) of '\(new.name)' will be \(later) after a restart; write nsid = \(nsid) to keep it")
      }
    }
    change.removed = left.compactMap { $0.nsid.map { UInt32(clamping: $0) } }
    change.added = unmatched
    changes.append(change)
  }

  private mutating func compare(
    _ old: NamespaceConfiguration, _ new: NamespaceConfiguration, _ nsid: UInt32, of controller: String,
    _ change: inout ControllerChange
  ) {
    // Without an identifier it keeps the one that it has.
    var asked = new
    asked.nsid = new.nsid ?? old.nsid
    let isNull = old.backend == .null && new.backend == .null
    compare(
      "controller.namespace", old, asked, ConfigurationSchema.namespace,
      where: "namespace \(nsid) of \(quoted(controller)): ", except: isNull ? ["size"] : [])
    if isNull, let size = new.size, size != old.size { change.resized[nsid] = size }
    change.kept.append(nsid)
  }

  /// Which of the namespaces that are there is meant: the one with the image; of those without one, the one with the
  /// identifier, or the first of its kind.
  private static func match(_ namespace: NamespaceConfiguration, in old: [NamespaceConfiguration]) -> Int? {
    let sameKind = old.indices.filter {
      old[$0].backend == namespace.backend && old[$0].imagePath == namespace.imagePath
        && old[$0].inheritedImage == namespace.inheritedImage
    }
    if let nsid = namespace.nsid, let index = sameKind.first(where: { old[$0].nsid == nsid }) { return index }
    if namespace.backend != .file, namespace.nsid != nil { return nil }
    return sameKind.first
  }
}
