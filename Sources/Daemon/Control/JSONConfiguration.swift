import Control
import LinuxIO
import TOML

/// Parts of a configuration that come as JSON: an object has the keys of the table in a configuration file, and is
/// checked by the same schema.
///
/// What names a descriptor that came with the request does so by its place, from 0: `image_descriptor` in a namespace.
enum JSONConfiguration {
  private static let imageDescriptor = "image_descriptor"

  /// A controller.
  ///
  /// - Parameters:
  ///   - daemon: what it is to fit.
  ///   - descriptors: the places of descriptors that it may name.
  /// - Throws: everything that is wrong with it.
  static func controller(
    _ value: JSONValue, daemon: DaemonConfiguration, descriptors: Range<Int>
  ) throws(RPCError) -> ControllerConfiguration {
    guard case .object(var members) = value else {
      throw RPCError(.invalidParameters, "'controller' must be an object")
    }
    var images: [Int32?] = []
    if case .array(let namespaces)? = members["namespace"] {
      var plain: [JSONValue] = []
      for namespace in namespaces {
        let (rest, image) = try takeDescriptor(namespace, descriptors)
        plain.append(rest)
        images.append(image)
      }
      members["namespace"] = .array(plain)
    }
    var reader = ConfigurationReader(file: nil, folder: "/", checksFiles: false)
    var read = reader.readController(try node(members, absolute: "socket"))
    for (index, image) in images.enumerated() where index < read.namespaces.count {
      read.namespaces[index].model.inheritedImage = image
    }
    let consistency = ConfigurationConsistency(file: nil, daemon: ReadTable(model: daemon), controllers: [read])
    try refuse(reader.errors + consistency.errors, "controller")
    guard let controller = consistency.configuration.controllers.first else {
      throw RPCError(.internalError, "the controller was lost")
    }
    return controller
  }

  /// A namespace.
  ///
  /// - Parameter descriptors: the places of descriptors that it may name.
  /// - Throws: everything that is wrong with it.
  static func namespace(_ value: JSONValue, descriptors: Range<Int>) throws(RPCError) -> NamespaceConfiguration {
    let (rest, image) = try takeDescriptor(value, descriptors)
    guard case .object(let members) = rest else { throw RPCError(.invalidParameters, "'namespace' must be an object") }
    var reader = ConfigurationReader(file: nil, folder: "/", checksFiles: false)
    var read = reader.readNamespace(try node(members, absolute: "image"))
    read.model.inheritedImage = image
    // Consistency is that of a controller with this namespace alone.
    var controller = ReadTable(model: ControllerConfiguration(name: "controller"))
    controller.refused = Set(ConfigurationSchema.controller.keys)
    let consistency = ConfigurationConsistency(
      file: nil, daemon: ReadTable(model: .unset),
      controllers: [ReadController(table: controller, namespaces: [read])])
    try refuse(reader.errors + consistency.errors, "namespace")
    return read.model
  }

  /// Rate limits: those that are not named are none.
  ///
  /// - Throws: everything that is wrong with them.
  static func limits(_ value: JSONValue) throws(RPCError) -> LimitsConfiguration {
    guard case .object(let members) = value else { throw RPCError(.invalidParameters, "'limits' must be an object") }
    let known = ConfigurationSchema.limitKeys
    for key in members.keys.sorted() where !known.contains(key) {
      let advice = suggestion(for: key, among: known).map { "did you mean '\($0)'?" }
      throw RPCError(
        .invalidParameters,
        "unknown limit \(quoted(key)); \(advice ?? "the limits are \(known.joined(separator: ", "))")")
    }
    var controller = ControllerConfiguration(name: "controller")
    var errors: [ConfigurationError] = []
    for setting in ConfigurationSchema.controller.settings {
      guard let member = members[setting.key].flatMap(node) else { continue }
      do throws(ValueProblem) { try setting.read(member, &controller) } catch {
        errors.append(
          ConfigurationError(
            file: nil, position: nil, keyPath: setting.key, message: "\(error.text); write \(setting.expected)"))
      }
    }
    for key in members.keys.sorted() where key.hasSuffix("_burst") {
      let limit = key.dropLast("burst".count) + "limit"
      guard members[key] != .null, members[String(limit)] == nil else { continue }
      errors.append(
        ConfigurationError(
          file: nil, position: nil, keyPath: key, message: "has no effect without \(limit); write that too"))
    }
    try refuse(errors, "limits")
    return controller.limits
  }

  // MARK: JSON as a parsed document has it

  private static func node(
    _ members: [String: JSONValue], absolute key: String
  ) throws(RPCError) -> TOMLNode {
    if case .string(let path)? = members[key], !path.hasPrefix("/") {
      throw RPCError(
        .invalidParameters,
        "'\(key)' is the path \(quoted(path)); write an absolute one, as the daemon's folder is another")
    }
    return TOMLNode(content: .table(TOMLTable(members.compactMapValues(node))), position: nil)
  }

  /// nil for null, which is as if the key were not there.
  private static func node(_ value: JSONValue) -> TOMLNode? {
    let content: TOMLNode.Content
    switch value {
    case .null: return nil
    case .bool(let flag): content = .boolean(flag)
    case .integer(let number): content = .integer(Int(number))
    case .unsigned(let number): content = .float(Double(number))
    case .number(let number): content = .float(number)
    case .string(let text): content = .string(text)
    case .array(let elements): content = .array(elements.compactMap(node))
    case .object(let members): content = .table(TOMLTable(members.compactMapValues(node)))
    }
    return TOMLNode(content: content, position: nil)
  }

  /// Takes the place of a descriptor out of a namespace.
  private static func takeDescriptor(
    _ namespace: JSONValue, _ descriptors: Range<Int>
  ) throws(RPCError) -> (rest: JSONValue, image: Int32?) {
    guard case .object(var members) = namespace, let place = members.removeValue(forKey: imageDescriptor) else {
      return (namespace, nil)
    }
    guard case .integer(let number) = place, let index = Int(exactly: number), descriptors.contains(index),
      let image = Int32(exactly: number)
    else {
      throw RPCError(
        .invalidParameters,
        descriptors.isEmpty
          ? "'\(imageDescriptor)' names a descriptor, and none came with the request"
          : "'\(imageDescriptor)' must be the place of a descriptor that came with the request, "
            + "from \(descriptors.lowerBound) to \(descriptors.upperBound - 1)")
    }
    guard members["image"] == nil else {
      throw RPCError(.invalidParameters, "a namespace has 'image' or '\(imageDescriptor)', not both")
    }
    return (.object(members), image)
  }

  private static func refuse(_ errors: [ConfigurationError], _ what: String) throws(RPCError) {
    guard let first = errors.first else { return }
    if errors.count == 1 { throw RPCError(.invalidParameters, first.description) }
    let all = ConfigurationErrors(errors)
    throw RPCError(
      .invalidParameters, "'\(what)' has \(errors.count) errors", reasons: all.errors.map(\.description))
  }
}
