/// The data of a region access. Up to eight bytes, which is every register and doorbell, need no allocation.
public struct RegionData: Equatable, Sendable {
  /// The first eight bytes as a number, the first byte lowest; bytes that are not there are 0.
  public let value: UInt64
  /// How many bytes there are.
  public let count: Int
  /// All bytes where there are more than eight, else empty.
  private let all: [UInt8]

  /// The lowest `count` bytes of a number; at most eight.
  public init(_ value: UInt64, count: Int) {
    let count = min(max(count, 0), 8)
    self.value = count == 8 ? value : value & ((1 << UInt64(8 * count)) &- 1)
    self.count = count
    all = []
  }

  /// Bytes.
  public init(_ bytes: [UInt8]) { self.init(bytes.span, from: 0) }

  /// The bytes from `start` to the end, copied.
  init(_ bytes: Span<UInt8>, from start: Int) {
    count = max(bytes.count - start, 0)
    var value: UInt64 = 0
    for index in 0..<min(count, 8) { value |= UInt64(bytes[start + index]) &<< UInt64(8 * index) }
    self.value = value
    all = count > 8 ? bytes.copy(from: start) : []
  }

  /// The bytes, in order.
  public var bytes: [UInt8] {
    if count > 8 { return all }
    return (0..<count).map { UInt8(truncatingIfNeeded: value &>> UInt64(8 * $0)) }
  }

  /// Appends the bytes.
  func encode(to bytes: inout [UInt8]) {
    if count > 8 {
      bytes += all
    } else {
      for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value &>> UInt64(8 * index))) }
    }
  }
}
