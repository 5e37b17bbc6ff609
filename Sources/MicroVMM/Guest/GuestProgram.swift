import KVM

/// What is put into the guest's memory before it runs.
///
/// Memory is one range of 64 KiB at address 0, all of it in reach of DS, with BAR0 in reach of FS and the local APIC in
/// reach of GS. A program ends with OUT to `reportPort`.
public struct GuestProgram: Equatable, Sendable {
  /// Bytes that are loaded at an address.
  public struct Segment: Equatable, Sendable {
    /// Where in the guest's memory.
    public var address: UInt16
    /// What.
    public var bytes: [UInt8]

    /// Bytes at an address.
    public init(address: UInt16, bytes: [UInt8]) {
      self.address = address
      self.bytes = bytes
    }
  }

  /// Bytes of the guest's memory.
  public static let memorySize = 0x1_0000
  /// The port that takes a program's result, in EAX, and ends it: the one of POST codes.
  public static let reportPort: UInt8 = 0x80
  /// Where code begins, above the interrupt vector table and the variables.
  public static let codeAddress: UInt16 = 0x1000
  /// Where the stack begins; it grows down, to the code.
  public static let stackAddress: UInt16 = 0x3000

  /// What is loaded.
  public var segments: [Segment]
  /// Where the guest begins.
  public var entry: UInt16

  /// A program.
  public init(segments: [Segment], entry: UInt16) {
    self.segments = segments
    self.entry = entry
  }

  /// A program without interrupts: code alone, at `codeAddress`, from its begin.
  ///
  /// - Throws: what `Assembler.assemble()` throws.
  public init(_ build: (inout Assembler) -> Void) throws(Assembler.Failure) {
    var assembler = Assembler(origin: GuestProgram.codeAddress)
    build(&assembler)
    self.init(
      segments: [Segment(address: GuestProgram.codeAddress, bytes: try assembler.assemble())],
      entry: GuestProgram.codeAddress)
  }

  /// The entry of the interrupt vector table that leads to `handler` in code segment 0.
  public static func interrupt(_ vector: UInt8, handler: UInt16) -> Segment {
    Segment(
      address: UInt16(vector) * 4,
      bytes: [UInt8(truncatingIfNeeded: handler), UInt8(truncatingIfNeeded: handler >> 8), 0, 0])
  }
}
