/// One entry of the MSI-X table, 16 bytes (PCI Express Base Specification, 7.7.2.5 to 7.7.2.8).
public struct MSIXTableEntry: Sendable, Equatable {
  /// Message address: where the message is written; the low two bits are zero.
  public var address: UInt64
  /// Message data.
  public var data: UInt32
  /// Vector Control bit 0: the vector is masked.
  public var isMasked: Bool
}

/// What BAR4 holds: the MSI-X table and the Pending Bit Array.
///
/// VMMs that speak vfio-user keep the table themselves and pass vectors as eventfds; this one serves whoever reads or
/// writes the region all the same. QEMU forwards reads of the pending bits. Not thread-safe.
public struct MSIXTable: Sendable, Equatable {
  /// Where table and pending bits lie.
  public let layout: MSIXLayout
  private var table: [UInt8]
  private var pendingBits: [UInt8]

  /// A table after reset: every vector masked, none pending.
  public init(layout: MSIXLayout) {
    self.layout = layout
    self.table = Self.resetTable(layout)
    self.pendingBits = Array(repeating: 0, count: Int(layout.pendingBitsSize))
  }

  private static func resetTable(_ layout: MSIXLayout) -> [UInt8] {
    var table = [UInt8](repeating: 0, count: Int(layout.tableSize))
    for vector in 0..<layout.vectorCount { table[vector * MSIXLayout.entrySize + 12] = 1 }
    return table
  }

  /// Back to the state after reset.
  public mutating func reset() {
    table = Self.resetTable(layout)
    for index in pendingBits.indices { pendingBits[index] = 0 }
  }

  /// The entry of `vector`; `nil` for a vector that the table does not have.
  public func entry(_ vector: Int) -> MSIXTableEntry? {
    guard (0..<layout.vectorCount).contains(vector) else { return nil }
    let base = vector * MSIXLayout.entrySize
    return MSIXTableEntry(
      address: littleEndian(base, count: 8), data: UInt32(truncatingIfNeeded: littleEndian(base + 8, count: 4)),
      isMasked: table[base + 12] & 1 != 0)
  }

  private func littleEndian(_ offset: Int, count: Int) -> UInt64 {
    (0..<count).reduce(0) { $0 | UInt64(table[offset + $1]) << UInt64($1 * 8) }
  }

  /// Whether an interrupt of `vector` waits to be signalled; `false` for a vector that the table does not have.
  public func isPending(_ vector: Int) -> Bool {
    guard (0..<layout.vectorCount).contains(vector) else { return false }
    return pendingBits[vector / 8] & (1 << UInt8(vector % 8)) != 0
  }

  /// Sets or clears the pending bit of `vector`; does nothing for a vector that the table does not have.
  public mutating func setPending(_ vector: Int, _ pending: Bool) {
    guard (0..<layout.vectorCount).contains(vector) else { return }
    let bit: UInt8 = 1 << UInt8(vector % 8)
    if pending { pendingBits[vector / 8] |= bit } else { pendingBits[vector / 8] &= ~bit }
  }

  /// Reads `destination.count` bytes at `offset` of BAR4; what is neither table nor pending bits reads as zero.
  ///
  /// - Returns: `false`, with nothing read, when the range does not lie in the BAR.
  public func read(at offset: UInt64, into destination: inout MutableSpan<UInt8>) -> Bool {
    guard let start = regionOffset(offset, count: destination.count, size: layout.size) else { return false }
    let pendingStart = Int(layout.pendingBitsOffset)
    for index in 0..<destination.count {
      let position = start + index
      if position < table.count {
        destination[index] = table[position]
      } else if position >= pendingStart, position - pendingStart < pendingBits.count {
        destination[index] = pendingBits[position - pendingStart]
      } else {
        destination[index] = 0
      }
    }
    return true
  }

  /// Writes `source` at `offset` of BAR4; the pending bits and reserved bits stay as they are.
  ///
  /// - Returns: `false`, with nothing written, when the range does not lie in the BAR.
  public mutating func write(at offset: UInt64, from source: Span<UInt8>) -> Bool {
    guard let start = regionOffset(offset, count: source.count, size: layout.size) else { return false }
    for index in 0..<source.count {
      let position = start + index
      guard position < table.count else { break }
      table[position] = source[index] & Self.writableBits(position % MSIXLayout.entrySize)
    }
    return true
  }

  /// Writable bits of a byte of an entry: messages are dword-aligned, and Vector Control has its mask bit only.
  private static func writableBits(_ byte: Int) -> UInt8 {
    switch byte {
    case 0: 0xfc
    case 12: 0x01
    case 13...15: 0x00
    default: 0xff
    }
  }
}
