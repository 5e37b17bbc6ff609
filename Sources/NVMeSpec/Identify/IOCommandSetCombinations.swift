/// The I/O command sets that may be enabled together, CNS 1Ch: 512 vectors of 8 bytes (NVMe base 2.0, 5.17.2).
public struct IOCommandSetCombinations: Equatable, Sendable {
  /// The size of the structure in bytes.
  public static let byteCount = 4096
  /// The most combinations.
  public static let maximumCount = 512

  /// The combinations: bit n for the command set whose ``CommandSetIdentifier`` is n.
  public var combinations: [UInt64]

  /// Makes a structure of `combinations`; by default the NVM command set alone.
  public init(_ combinations: [UInt64] = [1 << UInt64(CommandSetIdentifier.nvm)]) { self.combinations = combinations }

  /// Reads a structure up to its first 0; nil if `bytes` are fewer than ``byteCount``.
  public init?(decoding bytes: some Collection<UInt8>) {
    guard let image = ByteImage(decoding: bytes, byteCount: Self.byteCount) else { return nil }
    combinations = []
    for index in 0..<Self.maximumCount {
      let combination: UInt64 = image[8 * index]
      guard combination != 0 else { break }
      combinations.append(combination)
    }
  }

  /// The structure's 4096 bytes: at most 512 combinations, and zeros after them.
  public func encode() -> [UInt8] {
    var image = ByteImage(byteCount: Self.byteCount)
    for (index, combination) in combinations.prefix(Self.maximumCount).enumerated() { image[8 * index] = combination }
    return image.bytes
  }
}
