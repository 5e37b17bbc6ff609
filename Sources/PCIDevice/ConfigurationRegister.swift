/// One register of configuration space: where it is, what it holds after reset, and which of its bits can change.
///
/// A bit that is in none of the masks is read-only.
struct ConfigurationRegister: Sendable {
  /// Byte offset from the start of configuration space.
  let offset: Int
  /// Width in bytes, 1, 2 or 4.
  let width: Int
  /// Value after a conventional reset.
  let value: UInt32
  /// Bits that software writes (RW and RWS).
  var writable: UInt32 = 0
  /// Bits that software clears by writing one (RW1C).
  var clearable: UInt32 = 0
  /// Bits that a function level reset leaves alone (PCI Express Base Specification, 6.6.2).
  var kept: UInt32 = 0

  /// The bytes of `mask`, least significant first, as many as the register is wide.
  func bytes(_ mask: UInt32) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: mask >> UInt32($0 * 8)) }
  }
}
