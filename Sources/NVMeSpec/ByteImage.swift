/// The bytes of one of the standard's data structures, with access to the little-endian fields in them.
///
/// Identify structures and log pages are views of such an image, so that each offset is written down once, for encoding
/// and decoding alike, and reserved and vendor specific bytes survive both. The offsets are constants of the views: one
/// beyond the image is a mistake of the program, and traps.
struct ByteImage: Equatable, Sendable {
  /// The bytes.
  private(set) var bytes: [UInt8]

  /// Makes an image of zeros.
  init(byteCount: Int) { bytes = [UInt8](repeating: 0, count: byteCount) }

  /// Takes the first `byteCount` of `bytes`; nil if there are fewer.
  init?(decoding bytes: some Collection<UInt8>, byteCount: Int) {
    guard bytes.count >= byteCount else { return nil }
    self.bytes = [UInt8](bytes.prefix(byteCount))
  }

  /// The unsigned integer at `offset`, little-endian, of as many bytes as its type has.
  subscript<Value: FixedWidthInteger & UnsignedInteger>(offset: Int) -> Value {
    get {
      var value: Value = 0
      for index in (0..<Value.bitWidth / 8).reversed() {
        value = value << 8 | Value(truncatingIfNeeded: bytes[offset + index])
      }
      return value
    }
    set {
      var rest = newValue
      for index in 0..<Value.bitWidth / 8 {
        bytes[offset + index] = UInt8(truncatingIfNeeded: rest)
        rest >>= 8
      }
    }
  }

  /// The option set at `offset`, little-endian.
  subscript<Value: OptionSet>(options offset: Int) -> Value where Value.RawValue: FixedWidthInteger & UnsignedInteger {
    get { Value(rawValue: self[offset]) }
    set { self[offset] = newValue.rawValue }
  }

  /// `count` bytes at `offset`, in the order in which they lie there. What is set is cut or filled with zeros to
  /// `count`.
  subscript(bytesAt offset: Int, count count: Int) -> [UInt8] {
    get { [UInt8](bytes[offset..<offset + count]) }
    set {
      for index in 0..<count { bytes[offset + index] = index < newValue.count ? newValue[index] : 0 }
    }
  }

  /// An ASCII string of `count` bytes at `offset`, padded with spaces (NVMe base 2.0, 1.4).
  ///
  /// What is set is cut to `count` bytes, and a character that is not printable ASCII becomes a question mark. What is
  /// read has no spaces or zeros at its end.
  subscript(asciiAt offset: Int, count count: Int) -> String {
    get {
      var text = bytes[offset..<offset + count]
      while let last = text.last, last == 0x20 || last == 0 { text.removeLast() }
      return String(decoding: text.map { (0x20...0x7E).contains($0) ? $0 : 0x3F }, as: UTF8.self)
    }
    set {
      var field = newValue.unicodeScalars.prefix(count).map {
        (0x20...0x7E).contains($0.value) ? UInt8($0.value) : 0x3F
      }
      field += [UInt8](repeating: 0x20, count: count - field.count)
      self[bytesAt: offset, count: count] = field
    }
  }

  /// A UTF-8 string of at most `count` - 1 bytes at `offset`, ended and filled with zeros.
  ///
  /// What is set is cut to whole characters that fit.
  subscript(utf8At offset: Int, count count: Int) -> String {
    get { String(decoding: bytes[offset..<offset + count].prefix { $0 != 0 }, as: UTF8.self) }
    set {
      var field: [UInt8] = []
      for scalar in newValue.unicodeScalars {
        let encoded = String(scalar).utf8
        guard field.count + encoded.count < count else { break }
        field += encoded
      }
      self[bytesAt: offset, count: count] = field
    }
  }
}
