/// Numbers with units in few columns, for people.
enum Quantity {
  /// A number of at most three digits with a fraction digit where there is room: "999", "1.2", "12", "123".
  private static func digits(_ value: Double) -> String {
    if value < 9.95 {
      let tenths = Int((value * 10).rounded())
      return "\(tenths / 10).\(tenths % 10)"
    }
    return "\(Int(min(value, 1e15).rounded()))"
  }

  private static func scaled(_ value: Double, _ units: [String], by step: Double) -> (number: Double, unit: String) {
    var (number, index) = (value, 0)
    while number >= 999.5, index < units.count - 1 {
      number /= step
      index += 1
    }
    return (number, units[index])
  }

  /// Events each second: "0", "0.3", "950", "12k", "1.2M".
  static func rate(_ perSecond: Double) -> String {
    guard perSecond.isFinite, perSecond > 0 else { return "0" }
    let (number, unit) = scaled(perSecond, ["", "k", "M", "G"], by: 1000)
    return digits(number) + unit
  }

  /// MB each second, of 1,000,000 bytes: "0", "0.1", "12", "3500".
  static func megabytes(_ bytesPerSecond: Double) -> String {
    guard bytesPerSecond.isFinite, bytesPerSecond > 0 else { return "0" }
    return digits(bytesPerSecond / 1_000_000)
  }

  /// A time: "-" for none, "0.4us", "120us", "3.1ms", "1.5s".
  static func time(nanoseconds: UInt64) -> String {
    guard nanoseconds > 0 else { return "-" }
    let (number, unit) = scaled(Double(nanoseconds) / 1000, ["us", "ms", "s"], by: 1000)
    return digits(number) + unit
  }

  /// A time since something began: "42 s", "3 min 7 s", "5 h 2 min", "12 d 3 h".
  static func duration(nanoseconds: UInt64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    switch seconds {
    case ..<60: return "\(seconds) s"
    case ..<3600: return "\(seconds / 60) min \(seconds % 60) s"
    case ..<86400: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
    default: return "\(seconds / 86400) d \(seconds / 3600 % 24) h"
    }
  }

  /// A size as configuration files have it, where it is a round one; else in a binary unit: "10GiB", "1.4GiB", "512B".
  static func size(_ bytes: UInt64) -> String {
    let (number, unit) = scaled(Double(bytes), ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], by: 1024)
    let isRound = number == number.rounded()
    return (isRound ? "\(Int(number))" : digits(number)) + unit
  }

  /// A part of a whole, in percent: "0%", "12%", "0.4%".
  static func percent(_ part: Double) -> String {
    guard part.isFinite, part > 0 else { return "0%" }
    return digits(part * 100) + "%"
  }
}
