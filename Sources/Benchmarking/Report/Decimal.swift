/// A number with so many decimals, 0 to 9; `-` where it is none, or too great to be a measurement.
public func decimal(_ value: Double, _ decimals: Int) -> String {
  var unit: UInt64 = 1
  for _ in 0..<min(max(decimals, 0), 9) { unit *= 10 }
  let scaled = (abs(value) * Double(unit)).rounded()
  guard scaled.isFinite, scaled < 1e18 else { return "-" }
  let whole = UInt64(scaled)
  let sign = value < 0 && whole > 0 ? "-" : ""
  guard unit > 1 else { return "\(sign)\(whole)" }
  let fraction = String(whole % unit)
  let zeros = String(repeating: "0", count: String(unit).count - 1 - fraction.count)
  return "\(sign)\(whole / unit).\(zeros)\(fraction)"
}

/// A number in few letters: `1.2M`, `850k`, `0.15`.
public func short(_ value: Double) -> String {
  let magnitude = abs(value)
  let (scaled, unit) =
    switch magnitude {
    case 1e9...: (value / 1e9, "G")
    case 1e6...: (value / 1e6, "M")
    case 1e4...: (value / 1e3, "k")
    default: (value, "")
    }
  let decimals =
    switch abs(scaled) {
    case 0: 0
    case ..<0.1: 3
    case ..<1: 2
    case ..<10: scaled == scaled.rounded() ? 0 : 2
    case ..<100: scaled == scaled.rounded() ? 0 : 1
    default: 0
    }
  return decimal(scaled, decimals) + unit
}

/// Bytes as people name block sizes: `4 KiB`; a text that is no number stays as it is.
public func blockSize(_ text: String) -> String {
  guard let bytes = Int(text) else { return text }
  if bytes >= 1 << 20, bytes % (1 << 20) == 0 { return "\(bytes >> 20) MiB" }
  if bytes >= 1024, bytes % 1024 == 0 { return "\(bytes >> 10) KiB" }
  return "\(bytes) B"
}
