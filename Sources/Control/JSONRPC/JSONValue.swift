import FoundationEssentials
import Synchronization

/// Any JSON value (RFC 8259).
public enum JSONValue: Equatable, Sendable, Codable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number without a fraction that fits.
  case integer(Int64)
  /// An integer above those.
  case unsigned(UInt64)
  /// Any other number.
  case number(Double)
  /// A text.
  case string(String)
  /// A list.
  case array([JSONValue])
  /// Names and values; of a name that occurs twice the decoder keeps one value.
  case object([String: JSONValue])

  /// The deepest nesting that is read.
  static let maximumDepth = 64

  /// Reads a value.
  ///
  /// - Throws: `DecodingError` where it is nested deeper than 64, or where it is part of a request and that has more
  ///   values than any request needs.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let isTooDeep = decoder.codingPath.count > JSONValue.maximumDepth
    if isTooDeep || (decoder.userInfo[.valueAllowance] as? ValueAllowance)?.take() == false {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: isTooDeep ? "is nested too deeply" : "has too many values")
    }
    // Only the attempts tell what it is; those that are most likely to be right come first.
    if container.decodeNil() {
      self = .null
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let integer = try? container.decode(Int64.self) {
      self = .integer(integer)
    } else if let flag = try? container.decode(Bool.self) {
      self = .bool(flag)
    } else if let members = try? decoder.container(keyedBy: AnyKey.self) {
      var object: [String: JSONValue] = [:]
      for key in members.allKeys { object[key.stringValue] = try members.decode(JSONValue.self, forKey: key) }
      self = .object(object)
    } else if var elements = try? decoder.unkeyedContainer() {
      var array: [JSONValue] = []
      while !elements.isAtEnd { array.append(try elements.decode(JSONValue.self)) }
      self = .array(array)
    } else if let unsigned = try? container.decode(UInt64.self) {
      self = .unsigned(unsigned)
    } else {
      self = .number(try container.decode(Double.self))
    }
  }

  /// Writes the value.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let flag): try container.encode(flag)
    case .integer(let integer): try container.encode(integer)
    case .unsigned(let unsigned): try container.encode(unsigned)
    case .number(let number): try container.encode(number)
    case .string(let text): try container.encode(text)
    case .array(let elements): try container.encode(elements)
    case .object(let members): try container.encode(members)
    }
  }

  /// The member `name` of an object; nil where it is none, or has none.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members[name]
  }
}

/// A name of an object that is not known beforehand.
struct AnyKey: CodingKey {
  let stringValue: String
  let intValue: Int? = nil

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// How many more values of unknown shape a request may have: telling what each is takes some microseconds.
final class ValueAllowance: Sendable {
  private let rest: Atomic<Int>

  init(_ count: Int) { rest = Atomic(count) }

  func take() -> Bool { rest.subtract(1, ordering: .relaxed).newValue >= 0 }
}

extension CodingUserInfoKey {
  private static func key(_ name: String) -> CodingUserInfoKey {
    guard let key = CodingUserInfoKey(rawValue: name) else { preconditionFailure("any name is a key") }
    return key
  }

  /// A `ValueAllowance`.
  static let valueAllowance = key("nvmed.valueAllowance")
  /// The `MethodTable` that requests are looked up in.
  static let methodTable = key("nvmed.methodTable")
}

extension JSONValue: ExpressibleByDictionaryLiteral {
  /// An object.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements) { _, last in last })
  }

  /// Reads a text; nil where it is no JSON.
  public init?(text: String) {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) else { return nil }
    self = value
  }
}
