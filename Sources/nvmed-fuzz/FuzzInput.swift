/// What the fuzzer made up, read as numbers; zeros after its end.
struct FuzzInput {
  private let bytes: [UInt8]
  private var next = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether all of it was read.
  var isEmpty: Bool { next >= bytes.count }

  mutating func byte() -> UInt8 {
    guard next < bytes.count else { return 0 }
    defer { next += 1 }
    return bytes[next]
  }

  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value {
    var value: Value = 0
    for index in 0..<Value.bitWidth / 8 { value |= Value(truncatingIfNeeded: byte()) &<< Value(index * 8) }
    return value
  }

  /// 0 to `bound` - 1; `bound` is at most 256.
  mutating func choice(_ bound: Int) -> Int { Int(byte()) % bound }

  /// One of the values.
  mutating func one<Value>(of values: [Value]) -> Value { values[choice(values.count)] }

  /// So many bytes, or what is left.
  mutating func rest(_ count: Int = .max) -> [UInt8] {
    let end = min(bytes.count, next + min(count, bytes.count))
    defer { next = end }
    return next < end ? Array(bytes[next..<end]) : []
  }
}
