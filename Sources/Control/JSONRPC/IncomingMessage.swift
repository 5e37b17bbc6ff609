import FoundationEssentials

/// One line as it was received: a request or a batch of them (JSON-RPC 2.0, section 6).
enum IncomingMessage: Sendable {
  case single(IncomingRequest)
  case batch([IncomingRequest])

  /// Most requests of a batch.
  static let batchLimit = 256
  /// Most values of unknown shape in a message, such as those of a controller's description.
  static let valueLimit = 20_000

  /// Whether any of it may take long.
  var takesLong: Bool {
    switch self {
    case .single(let request): request.takesLong
    case .batch(let requests): requests.contains { $0.takesLong }
    }
  }

  /// The same requests, each refused.
  func refused(_ error: RPCError) -> IncomingMessage {
    switch self {
    case .single(let request): .single(request.refused(error))
    case .batch(let requests): .batch(requests.map { $0.refused(error) })
    }
  }
}

extension IncomingMessage {
  /// Reads a line.
  ///
  /// - Parameters:
  ///   - line: without its newline; its length is bounded by the caller.
  ///   - methods: where requests are looked up.
  /// - Throws: `parseError` where it is no JSON, `invalidRequest` where it is an empty batch or too large a one.
  init(_ line: [UInt8], methods: MethodTable) throws(RPCError) {
    guard JSONGrammar.isValue(line) else {
      throw RPCError(.parseError, "the line is not JSON in UTF-8, or is nested deeper than \(JSONGrammar.maximumDepth)")
    }
    let decoder = JSONDecoder()
    decoder.userInfo[.methodTable] = methods
    decoder.userInfo[.valueAllowance] = ValueAllowance(IncomingMessage.valueLimit)
    let isBatch = line.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d } == UInt8(ascii: "[")
    let text = Data(line)
    do {
      guard isBatch else {
        self = .single(try decoder.decode(IncomingRequest.self, from: text))
        return
      }
      let batch = try decoder.decode(IncomingBatch.self, from: text)
      guard let requests = batch.requests else {
        throw RPCError(.invalidRequest, "a batch has at most \(IncomingMessage.batchLimit) requests")
      }
      guard !requests.isEmpty else { throw RPCError(.invalidRequest, "the batch is empty") }
      self = .batch(requests)
    } catch let error as RPCError {
      throw error
    } catch {
      throw RPCError(.parseError, "the line cannot be read")
    }
  }
}

/// The elements of a batch, as many as are allowed.
struct IncomingBatch: Decodable {
  /// nil where there are more.
  let requests: [IncomingRequest]?

  init(from decoder: any Decoder) throws {
    var elements = try decoder.unkeyedContainer()
    var requests: [IncomingRequest] = []
    while !elements.isAtEnd {
      guard requests.count < IncomingMessage.batchLimit else {
        self.requests = nil
        return
      }
      requests.append(try elements.decode(IncomingRequest.self))
    }
    self.requests = requests
  }
}
