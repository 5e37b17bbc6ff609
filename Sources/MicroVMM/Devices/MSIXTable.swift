/// The MSI-X table of a function, and the bits of its message control that decide which vectors send.
///
/// The VMM keeps it, since only the VMM can turn a message into an interrupt of its guest; the server learns of vectors
/// as eventfds. A plain value. Source: PCI Express Base Specification, 7.7.2.
struct MSIXTable: Equatable, Sendable {
  /// What a vector sends.
  struct Message: Equatable, Sendable {
    /// Where it is written.
    var address: UInt64
    /// What is written.
    var data: UInt32
  }

  /// Bytes of an entry.
  static let entrySize: UInt64 = 16
  /// Message control bits 15 and 14: MSI-X is enabled; all vectors are masked.
  private static let enable: UInt16 = 1 << 15
  private static let functionMask: UInt16 = 1 << 14
  /// Vector control bit 0: this vector is masked.
  private static let masked: UInt32 = 1 << 0
  /// What can be written of the four doublewords of an entry: messages are doubleword aligned.
  private static let writable: [UInt32] = [0xFFFF_FFFC, 0xFFFF_FFFF, 0xFFFF_FFFF, masked]
  /// An entry after a reset.
  private static let resetEntry: [UInt32] = [0, 0, 0, masked]

  /// How many vectors there are.
  let vectorCount: Int
  /// Message control.
  private(set) var control: UInt16 = 0
  /// Four doublewords for each vector.
  private var entries: [UInt32]

  /// A table after a reset.
  ///
  /// - Parameter vectorCount: 1 to 2048.
  init(vectorCount: Int) {
    self.vectorCount = vectorCount
    entries = Array(repeatElement(MSIXTable.resetEntry, count: vectorCount).joined())
  }

  /// Bytes of the table.
  var size: UInt64 { UInt64(vectorCount) * MSIXTable.entrySize }

  /// Whether the function signals by MSI-X.
  var isEnabled: Bool { control & MSIXTable.enable != 0 }

  /// As after a reset.
  mutating func reset() { self = MSIXTable(vectorCount: vectorCount) }

  /// Takes what the guest wrote to message control.
  mutating func setControl(_ value: UInt16) { control = value & (MSIXTable.enable | MSIXTable.functionMask) }

  /// What a vector sends when it is signalled; nil: nothing now, it stays pending.
  func message(_ vector: Int) -> Message? {
    guard vector >= 0, vector < vectorCount, isEnabled, control & MSIXTable.functionMask == 0,
      entries[vector * 4 + 3] & MSIXTable.masked == 0
    else { return nil }
    return Message(
      address: UInt64(entries[vector * 4]) | UInt64(entries[vector * 4 + 1]) << 32, data: entries[vector * 4 + 2])
  }

  /// Reads 1 to 8 bytes; those beyond the table read 0.
  func read(at offset: UInt64, count: Int) -> UInt64 {
    (0..<count).reduce(0) { value, index in
      guard let place = place(of: offset, index) else { return value }
      let byte = entries[place.doubleword] >> UInt32(place.byte * 8) & 0xFF
      return value | UInt64(byte) << UInt64(index * 8)
    }
  }

  /// Writes 1 to 8 bytes; those beyond the table are dropped.
  mutating func write(at offset: UInt64, count: Int, _ value: UInt64) {
    for index in 0..<count {
      guard let place = place(of: offset, index) else { continue }
      let mask = MSIXTable.writable[place.doubleword % 4]
      let byte = UInt32(truncatingIfNeeded: value >> UInt64(index * 8))
      let written = entries[place.doubleword].replacing(from: place.byte, count: 1, with: byte)
      entries[place.doubleword] = entries[place.doubleword] & ~mask | written & mask
    }
  }

  private func place(of offset: UInt64, _ index: Int) -> (doubleword: Int, byte: Int)? {
    guard offset < size, UInt64(index) < size - offset else { return nil }
    let position = Int(offset) + index
    return (position / 4, position % 4)
  }
}
