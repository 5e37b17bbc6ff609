import NVMeSpec
import Testing

/// A data structure that is a view of its bytes.
protocol DataStructure: Equatable {
  static var byteCount: Int { get }
  init()
  init?(decoding bytes: [UInt8])
  func encode() -> [UInt8]
}

extension IdentifyController: DataStructure {}
extension IdentifyNamespace: DataStructure {}
extension IdentifyIOCommandSetIndependentNamespace: DataStructure {}
extension IdentifyNVMController: DataStructure {}
extension IdentifyNVMNamespace: DataStructure {}
extension PowerStateDescriptor: DataStructure {}
extension SMARTHealthLog: DataStructure {}
extension ErrorInformationLogEntry: DataStructure {}
extension FirmwareSlotLog: DataStructure {}
extension HostBehaviorSupport: DataStructure {}

/// One field of a structure in the order of the standard: its size, and how to fill it with a pattern.
struct LayoutField<Structure: DataStructure> {
  let name: String
  let byteCount: Int
  /// The bytes that ``fill`` makes of the field; nil for a field that nothing fills.
  let pattern: [UInt8]?
  let fill: (inout Structure) -> Void
  let isFilled: (Structure) -> Bool

  static func reserved(_ byteCount: Int) -> Self {
    Self(name: "reserved", byteCount: byteCount, pattern: nil, fill: { _ in }, isFilled: { _ in true })
  }

  static func integer<Value: FixedWidthInteger & UnsignedInteger>(
    _ name: String, _ path: WritableKeyPath<Structure, Value>
  ) -> Self {
    let pattern = (1...Value.bitWidth / 8).map { UInt8($0) }
    let value = pattern.reversed().reduce(Value(0)) { $0 << 8 | Value($1) }
    return Self(
      name: name, byteCount: pattern.count, pattern: pattern, fill: { $0[keyPath: path] = value },
      isFilled: { $0[keyPath: path] == value })
  }

  static func options<Value: OptionSet>(_ name: String, _ path: WritableKeyPath<Structure, Value>) -> Self
  where Value.RawValue: FixedWidthInteger & UnsignedInteger {
    let pattern = (1...Value.RawValue.bitWidth / 8).map { UInt8($0) }
    let value = Value(rawValue: pattern.reversed().reduce(Value.RawValue(0)) { $0 << 8 | Value.RawValue($1) })
    return Self(
      name: name, byteCount: pattern.count, pattern: pattern, fill: { $0[keyPath: path] = value },
      isFilled: { $0[keyPath: path].rawValue == value.rawValue })
  }

  static func bytes(_ name: String, _ byteCount: Int, _ path: WritableKeyPath<Structure, [UInt8]>) -> Self {
    let pattern = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 + 1) }
    return Self(
      name: name, byteCount: byteCount, pattern: pattern, fill: { $0[keyPath: path] = pattern },
      isFilled: { $0[keyPath: path] == pattern })
  }

  static func ascii(_ name: String, _ byteCount: Int, _ path: WritableKeyPath<Structure, String>) -> Self {
    let pattern = [UInt8]("abc".utf8) + [UInt8](repeating: 0x20, count: byteCount - 3)
    return Self(
      name: name, byteCount: byteCount, pattern: pattern, fill: { $0[keyPath: path] = "abc" },
      isFilled: { $0[keyPath: path] == "abc" })
  }

  static func custom(
    _ name: String, _ pattern: [UInt8], isFilled: @escaping (Structure) -> Bool,
    fill: @escaping (inout Structure) -> Void
  ) -> Self {
    Self(name: name, byteCount: pattern.count, pattern: pattern, fill: fill, isFilled: isFilled)
  }
}

/// Checks that each field takes the bytes that the sizes before it say, and no others, when encoded and when decoded.
func checkLayout<Structure: DataStructure>(
  of type: Structure.Type, _ fields: [LayoutField<Structure>], sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(fields.reduce(0) { $0 + $1.byteCount } == Structure.byteCount, sourceLocation: sourceLocation)
  var offset = 0
  for field in fields {
    defer { offset += field.byteCount }
    guard let pattern = field.pattern else { continue }
    var expected = [UInt8](repeating: 0, count: Structure.byteCount)
    expected.replaceSubrange(offset..<offset + field.byteCount, with: pattern)
    var structure = Structure()
    field.fill(&structure)
    #expect(structure.encode() == expected, "\(field.name) at \(offset)", sourceLocation: sourceLocation)
    let decoded = Structure(decoding: expected)
    #expect(decoded.map(field.isFilled) == true, "\(field.name) at \(offset)", sourceLocation: sourceLocation)
  }
  #expect(Structure(decoding: [UInt8](repeating: 0, count: Structure.byteCount - 1)) == nil)
}

/// The word at `offset` of `bytes`, little-endian.
func word<Value: FixedWidthInteger & UnsignedInteger>(_ bytes: [UInt8], _ offset: Int) -> Value {
  bytes[offset..<offset + Value.bitWidth / 8].reversed().reduce(0) { $0 << 8 | Value($1) }
}
