/// The registers of the local APIC that guests use, as offsets from its base (Intel SDM 3A, 11.4.1).
enum LocalAPIC {
  /// Where it is after a reset.
  static let baseAddress: UInt64 = 0xFEE0_0000
  /// EOI: a write ends the interrupt in service.
  static let endOfInterrupt: UInt16 = 0xB0
  /// Spurious interrupt vector: bit 8 enables the APIC, bits 7:0 are the spurious vector.
  static let spuriousVector: UInt16 = 0xF0
  /// Enabled, with spurious vector FFh.
  static let enabled: UInt32 = 0x1FF
}
