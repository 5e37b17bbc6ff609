/// ACPI machine language, as far as the tables of this VMM need it: each function gives the bytes of one term.
///
/// Source: ACPI Specification 6.5, 20 "ACPI Machine Language (AML) Specification", 6.4 "Resource Data Types".
enum AML {
  // MARK: Terms

  /// Scope (Path) {}: `path` has one segment, `\_SB_` or a child of the root.
  static func scope(_ path: String, _ terms: [[UInt8]]) -> [UInt8] {
    [0x10] + package(Array(path.utf8) + terms.joined())
  }

  /// Device (Name) {}.
  static func device(_ name: String, _ terms: [[UInt8]]) -> [UInt8] {
    [0x5B, 0x82] + package(Array(name.utf8) + terms.joined())
  }

  /// Name (Name, Object).
  static func name(_ name: String, _ object: [UInt8]) -> [UInt8] { [0x08] + Array(name.utf8) + object }

  // MARK: Objects

  /// An integer of one byte.
  static func byte(_ value: UInt8) -> [UInt8] { [0x0A, value] }

  /// Package () {}, of less than 256 objects.
  static func package(of objects: [[UInt8]]) -> [UInt8] {
    [0x12] + package([UInt8(truncatingIfNeeded: objects.count)] + objects.joined())
  }

  /// EisaId (): three letters and four hexadecimal digits, packed into a doubleword with its bytes reversed.
  static func eisaID(_ letters: String, _ product: UInt16) -> [UInt8] {
    let packed = letters.utf8.reduce(UInt16(0)) { $0 << 5 | UInt16($1 & 0x1F) }
    return [
      0x0C, UInt8(truncatingIfNeeded: packed >> 8), UInt8(truncatingIfNeeded: packed),
      UInt8(truncatingIfNeeded: product >> 8), UInt8(truncatingIfNeeded: product),
    ]
  }

  /// ResourceTemplate () {}: a buffer with an end tag, whose checksum 0 is always right.
  static func resources(_ descriptors: [[UInt8]]) -> [UInt8] {
    let bytes = Array(descriptors.joined()) + [0x79, 0x00]
    // Less than 256 bytes, so that the size is an integer of one byte.
    return [0x11] + package(byte(UInt8(truncatingIfNeeded: bytes.count)) + bytes)
  }

  // MARK: Resources

  /// IO (Decode16): ports from `first` on.
  static func ports(_ first: UInt16, count: UInt8) -> [UInt8] {
    [0x47, 0x01] + littleEndian(first) + littleEndian(first) + [0x01, count]
  }

  /// Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive).
  static func interrupt(_ gsi: UInt32) -> [UInt8] { [0x89, 0x06, 0x00, 0x03, 0x01] + littleEndian(gsi) }

  /// WordBusNumber (ResourceProducer): buses that a bridge decodes.
  static func buses(_ range: ClosedRange<UInt16>) -> [UInt8] {
    let fields: [UInt16] = [0, range.lowerBound, range.upperBound, 0, range.upperBound - range.lowerBound + 1]
    return [0x88, 0x0D, 0x00, 0x02, 0x0C, 0x00] + fields.flatMap(littleEndian)
  }

  /// DWordMemory (ResourceProducer, NonCacheable, ReadWrite): addresses that a bridge passes on.
  static func memory(_ range: ClosedRange<UInt32>) -> [UInt8] {
    let fields: [UInt32] = [0, range.lowerBound, range.upperBound, 0, range.upperBound - range.lowerBound + 1]
    return [0x87, 0x17, 0x00, 0x00, 0x0C, 0x01] + fields.flatMap(littleEndian)
  }

  // MARK: Encoding

  /// The bytes of a package, after the length that counts itself too (20.2.4 "Package Length Encoding").
  static func package(_ content: [UInt8]) -> [UInt8] {
    if content.count + 1 < 1 << 6 { return [UInt8(truncatingIfNeeded: content.count + 1)] + content }
    // Four bits in the first byte, eight in each that follows: up to 1 MiB here.
    let followers = content.count + 2 < 1 << 12 ? 1 : 2
    let length = content.count + 1 + followers
    var bytes = [UInt8(followers << 6) | UInt8(length & 0xF)]
    for index in 0..<followers { bytes.append(UInt8(truncatingIfNeeded: length >> (4 + 8 * index))) }
    return bytes + content
  }
}

/// The bytes of an integer, lowest first.
func littleEndian<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
  (0..<Integer.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Integer($0 * 8)) }
}
