/// Identifiers of a namespace that are the same whenever the same disk is served: derived from the serial number and the
/// namespace identifier.
public enum NamespaceIdentifiers {
  /// A UUID of version 8 (RFC 9562, section 5.8).
  static func uuid(serial: String, namespace: UInt32) -> [UInt8] {
    var bytes = digest("uuid", serial, namespace)
    bytes[6] = bytes[6] & 0x0f | 0x80
    bytes[8] = bytes[8] & 0x3f | 0x80
    return bytes
  }

  /// A serial number for a controller that was given none: 20 characters, from what it serves.
  public static func serial(of name: String) -> String {
    let bytes = digest("serial", name, 0).prefix(7)
    return "NVMED-" + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// 128 bits of FNV-1a: identifiers must be stable and differ, not withstand an attacker.
  private static func digest(_ kind: String, _ serial: String, _ namespace: UInt32) -> [UInt8] {
    var hash = UInt128(0x6c62_272e_07bb_0142) << 64 | UInt128(0x62b8_2175_6295_c58d)
    let prime = UInt128(1) << 88 | 0x13b
    for byte in "nvmed\u{0}\(kind)\u{0}\(serial)\u{0}\(namespace)".utf8 { hash = (hash ^ UInt128(byte)) &* prime }
    return (0..<16).map { UInt8(truncatingIfNeeded: hash >> UInt128(120 - 8 * $0)) }
  }
}
