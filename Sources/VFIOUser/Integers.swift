import LinuxIO

// Integers are put together byte by byte: no alignment is assumed, and nothing outside the bytes can be read.

extension Span<UInt8> {
  /// The little-endian integer that begins at byte `offset`.
  ///
  /// - Throws: `EINVAL` where it does not lie inside.
  func integer<Value: FixedWidthInteger & UnsignedInteger>(
    at offset: Int, as type: Value.Type = Value.self
  ) throws(Errno) -> Value {
    let size = MemoryLayout<Value>.size
    guard offset >= 0, size <= count, offset <= count - size else { throw .invalidArgument }
    var value: Value = 0
    for index in 0..<size { value |= Value(truncatingIfNeeded: self[offset + index]) &<< Value(8 * index) }
    return value
  }

  /// The bytes from `offset` to the end, copied.
  func copy(from offset: Int) -> [UInt8] {
    guard offset >= 0, offset < count else { return [] }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count - offset)
    for index in offset..<count { bytes.append(self[index]) }
    return bytes
  }
}

extension [UInt8] {
  /// Appends an integer, lowest byte first.
  mutating func append<Value: FixedWidthInteger & UnsignedInteger>(integer value: Value) {
    for index in 0..<MemoryLayout<Value>.size { append(UInt8(truncatingIfNeeded: value &>> Value(8 * index))) }
  }

  /// Puts an integer over the bytes that begin at `offset`, which exist.
  mutating func replace<Value: FixedWidthInteger & UnsignedInteger>(integer value: Value, at offset: Int) {
    for index in 0..<MemoryLayout<Value>.size {
      self[offset + index] = UInt8(truncatingIfNeeded: value &>> Value(8 * index))
    }
  }
}
