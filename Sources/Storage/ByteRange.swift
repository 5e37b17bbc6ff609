/// Consecutive bytes of an image.
public struct ByteRange: Equatable, Sendable {
  /// The first byte.
  public let offset: UInt64
  /// How many bytes.
  public let count: UInt64

  /// Makes a range of its parts.
  @inlinable
  public init(offset: UInt64, count: UInt64) {
    self.offset = offset
    self.count = count
  }

  /// Whether it ends at or before `size`, its end computed without overflow.
  @inlinable
  public func isWithin(_ size: UInt64) -> Bool { offset <= size && count <= size - offset }

  /// What is left when it is cut to whole units of `unit` bytes; its count is 0 where no unit is whole.
  @inlinable
  public func shrunk(toWhole unit: UInt64) -> ByteRange {
    let nothing = ByteRange(offset: offset, count: 0)
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard unit > 0, !overflow else { return nothing }
    let wholeEnd = end - end % unit
    let gap = offset % unit == 0 ? 0 : unit - offset % unit
    guard gap < count, offset + gap < wholeEnd else { return nothing }
    return ByteRange(offset: offset + gap, count: wholeEnd - (offset + gap))
  }
}
