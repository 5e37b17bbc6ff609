/// Why a request was not done: the `error` of a reply (JSON-RPC 2.0, section 5.1).
public struct RPCError: Error, Equatable, Sendable, Codable {
  /// What kind of error it is.
  public struct Code: RawRepresentable, Equatable, Hashable, Sendable, Codable {
    /// The number of the protocol.
    public let rawValue: Int
    /// Wraps a number.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The line is no JSON.
    public static let parseError = Code(rawValue: -32_700)
    /// The JSON is no request.
    public static let invalidRequest = Code(rawValue: -32_600)
    /// No method has that name.
    public static let methodNotFound = Code(rawValue: -32_601)
    /// The method does not take such parameters.
    public static let invalidParameters = Code(rawValue: -32_602)
    /// The daemon could not make the reply.
    public static let internalError = Code(rawValue: -32_603)
    /// The request was understood, and the daemon refuses it: the message says why, nothing has changed.
    public static let refused = Code(rawValue: -32_000)
    /// What the request names is not there.
    public static let notFound = Code(rawValue: -32_001)
    /// Who connected may not control the daemon. The connection is closed.
    public static let accessDenied = Code(rawValue: -32_002)
    /// Too many clients, or too many requests under way: try again later.
    public static let busy = Code(rawValue: -32_003)
    /// A message or a reply is larger than what is allowed.
    public static let tooLarge = Code(rawValue: -32_004)
  }

  /// The member `data`.
  public struct Details: Equatable, Sendable, Codable {
    /// Every single reason, where there are several: one sentence each.
    public let reasons: [String]
  }

  /// What kind of error it is.
  public let code: Code
  /// One sentence for people.
  public let message: String
  /// More about it.
  public let data: Details?

  /// An error of a sentence, and of every single reason where there are several.
  public init(_ code: Code, _ message: String, reasons: [String] = []) {
    self.code = code
    self.message = message
    data = reasons.isEmpty ? nil : Details(reasons: reasons)
  }
}
