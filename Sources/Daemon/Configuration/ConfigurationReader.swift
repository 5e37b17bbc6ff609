import TOML

/// A table that has been read: the model with what was right in it, and where things were.
struct ReadTable<Model: ConfigurationModel>: Sendable {
  /// The model; fields whose key was absent or refused have their defaults.
  var model: Model
  /// Where the header is.
  var position: SourcePosition?
  /// The keys that are there, right or wrong, and where.
  var keys: [String: SourcePosition?] = [:]
  /// The keys whose value was refused.
  var refused: Set<String> = []

  /// Where to complain about `key`: at the key, or at the header when it is absent.
  func position(of key: String) -> SourcePosition? { (keys[key] ?? nil) ?? position }
}

/// A controller that has been read, with its namespaces.
struct ReadController: Sendable {
  var table: ReadTable<ControllerConfiguration>
  var namespaces: [ReadTable<NamespaceConfiguration>]
}

/// Turns a parsed document into the configuration, and collects everything that is wrong with it.
struct ConfigurationReader {
  /// The file as errors name it.
  let file: String?
  /// The absolute path of the folder that relative paths count from.
  let folder: String
  /// Whether the images and the folders of the sockets are looked at too.
  let checksFiles: Bool
  private(set) var errors: [ConfigurationError] = []

  init(file: String?, folder: String, checksFiles: Bool = false) {
    self.file = file
    self.folder = folder
    self.checksFiles = checksFiles
  }

  private mutating func report(_ keyPath: String, at position: SourcePosition?, _ message: String) {
    errors.append(ConfigurationError(file: file, position: position, keyPath: keyPath, message: message))
  }

  /// Reads the whole document; what is refused is in `errors` and has its default in the result.
  mutating func read(_ document: TOMLNode) -> DaemonConfiguration {
    guard case .table(let members) = document.content else { return .unset }
    for member in members.members where !ConfigurationSchema.topLevel.contains(member.key) {
      reportUnknown(
        member.key, in: "", at: member.position, known: ConfigurationSchema.topLevel,
        otherwise: "a file has the tables [daemon], [metrics] and [[controller]]")
    }
    var daemon = readDaemon(members["daemon"])
    let metrics = readTable(members["metrics"], ConfigurationSchema.metrics)
    daemon.model.metricsAddress = metrics.model.metricsAddress
    let controllers = tables(members["controller"], path: "controller", header: "[[controller]]").map {
      readController($0)
    }
    let consistency = ConfigurationConsistency(file: file, daemon: daemon, metrics: metrics, controllers: controllers)
    errors += consistency.errors
    if checksFiles {
      errors += ConfigurationFiles(file: file, daemon: daemon, metrics: metrics, controllers: controllers).errors
    }
    return consistency.configuration
  }

  private mutating func readDaemon(_ node: TOMLNode?) -> ReadTable<DaemonConfiguration> {
    let schema = ConfigurationSchema.daemon
    var table: ReadTable<DaemonConfiguration> = readTable(node, schema)
    if let path = table.model.controlSocket {
      table.model.controlSocket = absolutePath(path, in: folder)
      recheck("control_socket", of: &table, schema)
    }
    table.model.imageFolders = table.model.imageFolders.map { absolutePath($0, in: folder) }
    if !table.refused.contains("image_folders") { recheck("image_folders", of: &table, schema) }
    return table
  }

  /// Reads a table that may be there once.
  private mutating func readTable<Model>(
    _ node: TOMLNode?, _ schema: ConfigurationTable<Model>
  ) -> ReadTable<Model> {
    guard let node else { return ReadTable(model: .unset) }
    guard case .table = node.content else {
      report(schema.path, at: node.position, "is \(node.typeName); write \(schema.header)")
      return ReadTable(model: .unset)
    }
    return readTable(node, schema)
  }

  /// Reads one `[[controller]]`; what is refused is in `errors`.
  mutating func readController(_ node: TOMLNode) -> ReadController {
    let schema = ConfigurationSchema.controller
    var table = readTable(node, schema)
    if let path = table.model.socketPath {
      table.model.socketPath = absolutePath(path, in: folder)
      recheck("socket", of: &table, schema)
    }
    if table.keys["serial"] == nil { deriveSerial(of: &table) }
    guard case .table(let members) = node.content else { return ReadController(table: table, namespaces: []) }
    let namespaces = tables(
      members["namespace"], path: "controller.namespace", header: ConfigurationSchema.namespace.header)
    return ReadController(table: table, namespaces: namespaces.map { readNamespace($0) })
  }

  /// Without a serial number the name serves as one, where it can.
  private mutating func deriveSerial(of table: inout ReadTable<ControllerConfiguration>) {
    table.model.serial = table.model.name
    guard !table.refused.contains("name") else {
      table.refused.insert("serial")
      return
    }
    guard let serial = ConfigurationSchema.controller.settings.first(where: { $0.key == "serial" }),
      serial.check(table.model) != nil
    else { return }
    table.refused.insert("serial")
    report(
      "controller.serial", at: table.position,
      "missing; the name has \(table.model.name.utf8.count) characters and cannot stand in, so write "
        + serial.expected)
  }

  /// Reads one `[[controller.namespace]]`; what is refused is in `errors`.
  mutating func readNamespace(_ node: TOMLNode) -> ReadTable<NamespaceConfiguration> {
    let schema = ConfigurationSchema.namespace
    var table = readTable(node, schema)
    if let path = table.model.imagePath {
      table.model.imagePath = absolutePath(path, in: folder)
      recheck("image", of: &table, schema)
    }
    return table
  }

  // MARK: Tables

  /// The tables of an array of tables; anything else is reported.
  private mutating func tables(_ node: TOMLNode?, path: String, header: String) -> [TOMLNode] {
    guard let node else { return [] }
    guard case .array(let elements) = node.content else {
      if case .table(let table) = node.content, table.keys.allSatisfy({ $0 == "namespace" }) {
        report(path, at: node.position, "\(ConfigurationSchema.namespace.header) has no \(header) above it; write one")
      } else {
        report(path, at: node.position, "is \(node.typeName); write \(header)")
      }
      return []
    }
    for (index, element) in elements.enumerated() {
      if case .table = element.content { continue }
      report(path, at: element.position, "element \(index + 1) is \(element.typeName); write \(header)")
    }
    return elements.filter { if case .table = $0.content { true } else { false } }
  }

  private mutating func readTable<Model>(_ node: TOMLNode, _ schema: ConfigurationTable<Model>) -> ReadTable<Model> {
    var table = ReadTable(model: Model.unset, position: node.position)
    guard case .table(let members) = node.content else { return table }
    for member in members.members {
      let key = member.key
      guard let setting = schema.settings.first(where: { $0.key == key }) else {
        if schema.tables.contains(key) { continue }
        reportUnknown(
          key, in: schema.path + ".", at: member.position, known: schema.keys,
          otherwise: "\(schema.header) has the keys \(schema.keys.joined(separator: ", "))")
        continue
      }
      table.keys[key] = .some(member.position)
      do throws(ValueProblem) {
        try setting.read(member.node, &table.model)
      } catch {
        table.refused.insert(key)
        report("\(schema.path).\(key)", at: member.position, "\(error.text); write \(setting.expected)")
      }
    }
    for setting in schema.settings where setting.absence == .refused && table.keys[setting.key] == nil {
      table.refused.insert(setting.key)
      report(
        "\(schema.path).\(setting.key)", at: table.position,
        "missing; write for example \(setting.key) = \(setting.example)")
    }
    return table
  }

  /// Checks a field again that has been changed since it was read.
  private mutating func recheck<Model>(
    _ key: String, of table: inout ReadTable<Model>, _ schema: ConfigurationTable<Model>
  ) {
    guard let setting = schema.settings.first(where: { $0.key == key }), let problem = setting.check(table.model)
    else { return }
    table.refused.insert(key)
    report("\(schema.path).\(key)", at: table.position(of: key), "\(problem); write \(setting.expected)")
  }

  private mutating func reportUnknown(
    _ key: String, in prefix: String, at position: SourcePosition?, known: [String], otherwise: String
  ) {
    var advice: [String] = []
    if let near = suggestion(for: key, among: known) { advice.append("did you mean '\(near)'?") }
    if let header = ConfigurationSchema.header(of: key) { advice.append("'\(key)' belongs in \(header)") }
    if key == "namespace" { advice.append("write \(ConfigurationSchema.namespace.header)") }
    if advice.isEmpty { advice.append(otherwise) }
    let isPlain = key.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_" || $0 == "-")
    }
    report(
      prefix + (isPlain && !key.isEmpty && key.utf8.count <= 80 ? key : quoted(key)), at: position,
      "unknown key; \(advice.joined(separator: " "))")
  }
}

/// `path` as an absolute path without empty and "." components; ".." stays, since symbolic links may precede it.
func absolutePath(_ path: String, in folder: String) -> String {
  let whole = path.utf8.first == UInt8(ascii: "/") ? path : folder + "/" + path
  return "/" + whole.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
}
