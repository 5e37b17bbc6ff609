/// One request as it was received, right or wrong (JSON-RPC 2.0, section 4).
///
/// Reading it never fails, so that a batch has an answer for each of its elements.
struct IncomingRequest: Decodable, Sendable {
  private enum Key: String, CodingKey {
    case jsonrpc, method, params, id
  }

  /// What its reply repeats; nil: it is a notification, and is not answered.
  let identifier: RequestIdentifier?
  /// What to do, or why that cannot be done.
  let call: Result<PreparedCall, RPCError>

  init(from decoder: any Decoder) {
    guard let members = try? decoder.container(keyedBy: Key.self) else {
      self.init(refused: RPCError(.invalidRequest, "a request is an object"))
      return
    }
    let identifier: RequestIdentifier?
    do { identifier = try IncomingRequest.identifier(members) } catch {
      self.init(refused: RPCError(.invalidRequest, "'id' is no string, no integer below 2^63 and not null"))
      return
    }
    // Without version or method it is not known whether a notification was meant: it is answered.
    guard (try? members.decode(String.self, forKey: .jsonrpc)) == "2.0" else {
      self.init(refused: RPCError(.invalidRequest, "'jsonrpc' must be \"2.0\""), identifier: identifier ?? .null)
      return
    }
    guard let name = try? members.decode(String.self, forKey: .method) else {
      self.init(refused: RPCError(.invalidRequest, "'method' must be a string"), identifier: identifier ?? .null)
      return
    }
    do throws(RPCError) {
      self.init(identifier: identifier, call: .success(try IncomingRequest.prepare(name, members, decoder)))
    } catch {
      self.init(refused: error, identifier: identifier)
    }
  }

  private init(identifier: RequestIdentifier?, call: Result<PreparedCall, RPCError>) {
    self.identifier = identifier
    self.call = call
  }

  private init(refused error: RPCError, identifier: RequestIdentifier? = .null) {
    self.init(identifier: identifier, call: .failure(error))
  }

  /// The same request, refused.
  func refused(_ error: RPCError) -> IncomingRequest { IncomingRequest(refused: error, identifier: identifier) }

  /// Whether it may take long.
  var takesLong: Bool { if case .success(let call) = call { call.method.takesLong } else { false } }

  private static func identifier(_ members: KeyedDecodingContainer<Key>) throws -> RequestIdentifier? {
    guard members.contains(.id) else { return nil }
    if try members.decodeNil(forKey: .id) { return .null }
    return try members.decode(RequestIdentifier.self, forKey: .id)
  }

  private static func prepare(
    _ name: String, _ members: KeyedDecodingContainer<Key>, _ decoder: any Decoder
  ) throws(RPCError) -> PreparedCall {
    guard let method = (decoder.userInfo[.methodTable] as? MethodTable)?[name] else {
      throw RPCError(
        .methodNotFound, "there is no method '\(String(name.prefix(80)))'; rpc.methods lists all that there are")
    }
    guard members.contains(.params) else { return try method.prepare(parameters: nil) }
    let parameters: any Decoder
    do { parameters = try members.superDecoder(forKey: .params) } catch {
      throw RPCError(.invalidParameters, "'params' cannot be read")
    }
    return try method.prepare(parameters: parameters)
  }
}
