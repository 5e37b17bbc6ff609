/// The ports by which a guest ends its machine: ACPI's sleep and reset registers, and those that PCs have had before.
///
/// Source: ACPI Specification 6.5, 4.8.3.7 "Sleep Control and Status Registers" and 4.8.3.6 "Reset Register".
enum PowerPorts {
  /// What a write does.
  enum Effect: Equatable, Sendable {
    /// The guest turns its machine off.
    case powerOff
    /// The guest resets its machine.
    case reset
  }

  /// The sleep control register, 1 byte; the sleep status register, which reads 0, is the port after it.
  static let sleepControlPort: UInt16 = 0x600
  /// What `_S5` names for the sleep type of soft-off.
  static let softOffType: UInt8 = 5
  /// The reset control register, 1 byte: the value that is ACPI's reset value.
  static let resetPort: UInt16 = 0xCF9
  /// Full reset of CPU and system.
  static let resetValue: UInt8 = 0x06

  /// Sleep control: the type is in bits 4:2, bit 5 enters it.
  private static let sleepEnable: UInt32 = 1 << 5
  /// Reset control: bit 2 resets.
  private static let resetCPU: UInt32 = 1 << 2
  /// The command port of the keyboard controller, and the command that pulses the reset line.
  private static let keyboardCommandPort: UInt16 = 0x64
  private static let pulseReset: UInt32 = 0xFE
  /// The port of fast gate A20: bit 0 resets.
  private static let fastA20Port: UInt16 = 0x92
  private static let fastReset: UInt32 = 1 << 0

  /// What a write to a port does to the machine; nil: nothing.
  static func effect(port: UInt16, count: Int, _ value: UInt32) -> Effect? {
    guard count == 1 else { return nil }
    switch port {
    case sleepControlPort:
      return value & sleepEnable != 0 && value >> 2 & 0x7 == UInt32(softOffType) ? .powerOff : nil
    case resetPort: return value & resetCPU != 0 ? .reset : nil
    case keyboardCommandPort: return value == pulseReset ? .reset : nil
    case fastA20Port: return value & fastReset != 0 ? .reset : nil
    default: return nil
    }
  }

  /// What a port of this kind reads; nil for another.
  static func read(port: UInt16) -> UInt8? {
    switch port {
    case sleepControlPort, sleepControlPort + 1, resetPort: 0
    // Output full for ever, input empty: drivers find that there is no controller, and do not wait before a reset.
    case keyboardCommandPort: 0x01
    // Gate A20 is open.
    case fastA20Port: 0x02
    default: nil
    }
  }
}
