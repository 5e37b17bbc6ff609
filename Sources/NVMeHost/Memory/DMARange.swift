/// A part of guest memory that is announced to the device with one DMA_MAP.
public struct DMARange: Equatable, Sendable {
  /// The address that the device uses for the first byte.
  public var iova: UInt64
  /// Where in the memory's file it begins.
  public var fileOffset: UInt64
  /// Bytes.
  public var byteCount: UInt64

  /// A range; nothing is checked, so that a host can ask for what a server must refuse.
  public init(iova: UInt64, fileOffset: UInt64, byteCount: UInt64) {
    self.iova = iova
    self.fileOffset = fileOffset
    self.byteCount = byteCount
  }
}
