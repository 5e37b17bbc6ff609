/// The methods that a server has, with `rpc.methods`, which describes them.
public struct MethodTable: Sendable {
  /// In the order of their names.
  public let methods: [ControlMethod]
  private let byName: [String: ControlMethod]

  /// A table of these methods, each with a different name.
  public init(_ methods: [ControlMethod]) {
    var all = methods
    let descriptions = methods.map(MethodDescription.init)
    all.append(
      ControlMethod("rpc.methods", "Describes every method.") {
        (_: NoParameters, _) throws(RPCError) in
        let own = MethodDescription(
          name: "rpc.methods", meaning: "Describes every method.", parameters: [], takesLong: false,
          takesDescriptors: false)
        return (descriptions + [own]).sorted { $0.name < $1.name }
      })
    self.methods = all.sorted { $0.name < $1.name }
    byName = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
  }

  /// The method of a name.
  subscript(name: String) -> ControlMethod? { byName[name] }
}

/// What `rpc.methods` says of a method.
struct MethodDescription: Encodable, Sendable {
  let name: String
  let meaning: String
  let parameters: [ParameterDescription]
  let takesLong: Bool
  let takesDescriptors: Bool

  private enum CodingKeys: String, CodingKey {
    case name, meaning, parameters
    case takesLong = "takes_long"
    case takesDescriptors = "takes_descriptors"
  }

  init(name: String, meaning: String, parameters: [ParameterDescription], takesLong: Bool, takesDescriptors: Bool) {
    self.name = name
    self.meaning = meaning
    self.parameters = parameters
    self.takesLong = takesLong
    self.takesDescriptors = takesDescriptors
  }

  init(_ method: ControlMethod) {
    self.init(
      name: method.name, meaning: method.meaning, parameters: method.parameters, takesLong: method.takesLong,
      takesDescriptors: method.takesDescriptors)
  }
}
