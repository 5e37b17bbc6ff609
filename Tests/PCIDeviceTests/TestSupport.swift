import Testing

@testable import PCIDevice

/// A layout of `vectorCount` vectors, which the test knows to be allowed.
func layout(_ vectorCount: Int) throws -> MSIXLayout { try #require(MSIXLayout(vectorCount: vectorCount)) }

/// Configuration space with the default identity and 65 vectors.
func configurationSpace() throws -> ConfigurationSpace { ConfigurationSpace(msix: try layout(65)) }

extension ConfigurationSpace {
  /// The little-endian value of `width` bytes at `offset`.
  func value(_ offset: UInt64, _ width: Int) throws -> UInt32 {
    try #require(read(at: offset, count: width)).reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Writes the low `width` bytes of `value` at `offset`, least significant first.
  @discardableResult
  mutating func set(_ offset: UInt64, _ width: Int, _ value: UInt32) throws -> ConfigurationEvents {
    let bytes = (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
    let events = write(at: offset, bytes: bytes)
    return try #require(events)
  }

  /// Writes `byte` to the first `count` bytes at once.
  mutating func fill(_ byte: UInt8, count: Int) throws {
    let events = write(at: 0, bytes: [UInt8](repeating: byte, count: count))
    _ = try #require(events)
  }
}
