import FoundationEssentials
import LinuxIO

/// One parameter of a method, as `rpc.methods` describes it.
public struct ParameterDescription: Sendable, Encodable {
  /// Its name in `params`.
  public let name: String
  /// What to write, as the second half of a sentence: "a string".
  public let type: String
  /// Whether a request without it is refused.
  public let required: Bool
  /// What it means.
  public let meaning: String

  /// A description of these parts.
  public init(_ name: String, _ type: String, required: Bool = false, _ meaning: String) {
    self.name = name
    self.type = type
    self.required = required
    self.meaning = meaning
  }
}

/// What a method takes: the members of `params`. Others than those described are refused.
public protocol ControlParameters: Decodable, Sendable {
  /// One description for each coding key.
  static var descriptions: [ParameterDescription] { get }
}

/// The parameters of a method that takes none.
public struct NoParameters: ControlParameters {
  /// None.
  public static let descriptions: [ParameterDescription] = []
}

/// The result of a method that has nothing to say but that it was done: an empty object.
public struct NoResult: Codable, Sendable {
  /// The only one there is.
  public init() {}
}

/// A method that clients can call.
public struct ControlMethod: Sendable {
  /// Its name, as in "controller.add".
  public let name: String
  /// What it does, in one sentence.
  public let meaning: String
  /// What it takes.
  public let parameters: [ParameterDescription]
  /// Whether it may wait for a guest, a disk or another process: it then has a thread of its own.
  public let takesLong: Bool
  /// Whether a request can bring descriptors.
  public let takesDescriptors: Bool
  private let read: @Sendable (any Decoder) throws -> PreparedCall.Body

  /// A method.
  ///
  /// - Parameters:
  ///   - body: does it, on the server's thread or one of its own: the result, or why it is refused. Descriptors that it
  ///     leaves are closed.
  public init<Parameters: ControlParameters, Result: Encodable & SendableMetatype>(
    _ name: String, _ meaning: String, takesLong: Bool = false, takesDescriptors: Bool = false,
    _ body: @escaping @Sendable (Parameters, inout ReceivedDescriptors) throws(RPCError) -> Result
  ) {
    self.name = name
    self.meaning = meaning
    parameters = Parameters.descriptions
    self.takesLong = takesLong
    self.takesDescriptors = takesDescriptors
    read = { decoder in
      try ControlMethod.refuseUnknown(Parameters.descriptions, decoder)
      let parameters = try Parameters(from: decoder)
      return { descriptors throws(RPCError) in
        let result = try body(parameters, &descriptors)
        return try Reply.json(result)
      }
    }
  }

  /// A call of it with the parameters of a request; nil: it has none.
  ///
  /// - Throws: `invalidParameters`, with what to write instead.
  func prepare(parameters: (any Decoder)?) throws(RPCError) -> PreparedCall {
    do {
      if let parameters { return PreparedCall(method: self, body: try read(parameters)) }
      let empty = try JSONDecoder().decode(Deferred.self, from: Data("{}".utf8))
      return PreparedCall(method: self, body: try read(empty.decoder))
    } catch let error as RPCError {
      throw error
    } catch let error as DecodingError {
      throw RPCError(.invalidParameters, description(error))
    } catch {
      // The decoder does not say which.
      throw RPCError(.invalidParameters, "a parameter's number is too large, or has a fraction")
    }
  }

  private static func refuseUnknown(_ descriptions: [ParameterDescription], _ decoder: any Decoder) throws {
    guard let members = try? decoder.container(keyedBy: AnyKey.self) else {
      throw RPCError(.invalidParameters, "'params' must be an object: parameters are given by name")
    }
    for key in members.allKeys where !descriptions.contains(where: { $0.name == key.stringValue }) {
      let known = descriptions.map { "'\($0.name)'" }.joined(separator: ", ")
      throw RPCError(
        .invalidParameters,
        "unknown parameter '\(String(key.stringValue.prefix(80)))'; "
          + (known.isEmpty ? "the method takes none" : "the method takes \(known)"))
    }
  }

  /// A sentence for what the decoder did not like.
  private func description(_ error: DecodingError) -> String {
    let path: [any CodingKey]
    var problem: String
    switch error {
    case .keyNotFound(let key, let context):
      path = context.codingPath + [key]
      problem = "is missing"
    case .valueNotFound(_, let context):
      path = context.codingPath
      problem = "is null"
    case .typeMismatch(_, let context):
      path = context.codingPath
      problem = "is of another type"
    case .dataCorrupted(let context):
      path = context.codingPath
      problem = context.underlyingError == nil ? context.debugDescription : "cannot be read"
    @unknown default: return "the parameters of \(name) cannot be read"
    }
    // The path begins where the decoder did: at the line, or at an element of a batch.
    let names = path.map { $0.intValue.map { "\($0 + 1)" } ?? $0.stringValue }
    let parameter = names.firstIndex(of: "params").map { Array(names[($0 + 1)...]) } ?? names
    if parameter.count == 1, let known = parameters.first(where: { $0.name == parameter[0] }) {
      problem += "; write \(known.type)"
    }
    return "parameter '\(parameter.joined(separator: "."))': \(problem)"
  }
}

/// A decoder to use later.
private struct Deferred: Decodable {
  let decoder: any Decoder

  init(from decoder: any Decoder) { self.decoder = decoder }
}

/// A method with its parameters, ready to be run.
struct PreparedCall: Sendable {
  /// The JSON of the result.
  typealias Body = @Sendable (inout ReceivedDescriptors) throws(RPCError) -> [UInt8]

  let method: ControlMethod
  let body: Body

  func run(_ descriptors: inout ReceivedDescriptors) throws(RPCError) -> [UInt8] {
    guard method.takesDescriptors || descriptors.isEmpty else {
      throw RPCError(.invalidParameters, "\(method.name) takes no descriptors")
    }
    return try body(&descriptors)
  }
}
