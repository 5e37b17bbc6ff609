/// The `id` of a request, which its reply repeats (JSON-RPC 2.0, section 4).
enum RequestIdentifier: Equatable, Sendable, Codable {
  case null
  case integer(Int64)
  /// A number with a fraction, which the protocol advises against.
  case number(Double)
  case string(String)

  /// The largest integer of a `Double` that has no neighbour with the same value.
  private static let largestExactInteger = 9_007_199_254_740_991.0

  /// Reads it.
  ///
  /// - Throws: `DecodingError` where it is a boolean, an array or an object, or a number that cannot be repeated exactly.
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let integer = try? container.decode(Int64.self) {
      self = .integer(integer)
    } else {
      let number = try container.decode(Double.self)
      guard number.magnitude <= RequestIdentifier.largestExactInteger else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "the number is too large")
      }
      self = .number(number)
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .integer(let integer): try container.encode(integer)
    case .number(let number): try container.encode(number)
    case .string(let text): try container.encode(text)
    }
  }
}
