/// Takes the number that a guest reports: a line of decimal digits, 0 to 255, on a serial port of its own.
///
/// The last line that is one counts.
struct StatusLine: Equatable, Sendable {
  /// Longest line that can be a number; what is longer is none.
  private static let longest = 3

  private var digits: [UInt8] = []
  private var isNumber = true
  /// What was reported; nil: nothing yet.
  private(set) var status: UInt8?

  /// Takes a byte that the guest sent.
  mutating func receive(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\r"): break
    case UInt8(ascii: "\n"):
      if isNumber, let value = UInt8(String(decoding: digits, as: UTF8.self)) { status = value }
      digits = []
      isNumber = true
    case UInt8(ascii: "0")...UInt8(ascii: "9") where digits.count < StatusLine.longest: digits.append(byte)
    default: isNumber = false
    }
  }
}
