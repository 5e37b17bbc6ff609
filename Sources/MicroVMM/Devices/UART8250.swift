/// A serial port: a 16550A without a line, whose transmitter is always done. It receives nothing but its own loopback.
///
/// A plain value: what it transmits, and the level of its interrupt line, come back to the caller. Not thread-safe.
/// Source: National Semiconductor, PC16550D data sheet, "Registers".
struct UART8250: Equatable, Sendable {
  /// How many ports it has.
  static let portCount: UInt16 = 8

  /// The registers, by port.
  private enum Register {
    /// RBR read, THR write; with DLAB the low byte of the divisor.
    static let data: UInt16 = 0
    /// IER; with DLAB the high byte of the divisor.
    static let interruptEnable: UInt16 = 1
    /// IIR read, FCR write.
    static let interruptIdentification: UInt16 = 2
    static let lineControl: UInt16 = 3
    static let modemControl: UInt16 = 4
    static let lineStatus: UInt16 = 5
    static let modemStatus: UInt16 = 6
    static let scratch: UInt16 = 7
  }

  /// IER: received data available.
  private static let receiveInterrupt: UInt8 = 1 << 0
  /// IER: transmitter holding register empty.
  private static let transmitInterrupt: UInt8 = 1 << 1
  /// IER's bits that there are.
  private static let interruptEnableMask: UInt8 = 0x0F
  /// IIR: no interrupt pending; received data available; transmitter holding register empty; FIFOs enabled.
  private static let noInterrupt: UInt8 = 0x01
  private static let receivedData: UInt8 = 0x04
  private static let transmitterEmpty: UInt8 = 0x02
  private static let fifosEnabled: UInt8 = 0xC0
  /// FCR: FIFOs on; receiver FIFO reset.
  private static let fifoEnable: UInt8 = 1 << 0
  private static let receiverReset: UInt8 = 1 << 1
  /// LCR: the first two registers are the divisor.
  private static let divisorLatchAccess: UInt8 = 1 << 7
  /// MCR: DTR, RTS, OUT1, OUT2, loopback. On a PC OUT2 connects the interrupt line.
  private static let dataTerminalReady: UInt8 = 1 << 0
  private static let requestToSend: UInt8 = 1 << 1
  private static let out1: UInt8 = 1 << 2
  private static let out2: UInt8 = 1 << 3
  private static let loopback: UInt8 = 1 << 4
  private static let modemControlMask: UInt8 = 0x1F
  /// LSR: data ready; THR empty and transmitter idle.
  private static let dataReady: UInt8 = 1 << 0
  private static let transmitterIdle: UInt8 = 0x60
  /// MSR: CTS, DSR, RI, DCD.
  private static let clearToSend: UInt8 = 1 << 4
  private static let dataSetReady: UInt8 = 1 << 5
  private static let ringIndicator: UInt8 = 1 << 6
  private static let dataCarrierDetect: UInt8 = 1 << 7

  private var interruptEnable: UInt8 = 0
  private var lineControl: UInt8 = 0
  private var modemControl: UInt8 = 0
  private var scratch: UInt8 = 0
  /// 9600 baud.
  private var divisor: UInt16 = 12
  private var hasFIFOs = false
  /// The byte that the loopback received and nobody has read.
  private var received: UInt8?
  /// Whether THR has become empty since IIR told it last.
  private var isTransmitInterruptPending = false

  /// The level of its interrupt line.
  var interruptLine: Bool { modemControl & UART8250.out2 != 0 && pending != nil }

  /// The interrupt with the highest priority, as IIR tells it.
  private var pending: UInt8? {
    if interruptEnable & UART8250.receiveInterrupt != 0, received != nil { return UART8250.receivedData }
    if interruptEnable & UART8250.transmitInterrupt != 0, isTransmitInterruptPending {
      return UART8250.transmitterEmpty
    }
    return nil
  }

  private var isDivisorAccess: Bool { lineControl & UART8250.divisorLatchAccess != 0 }

  /// Reads a register; port 0 to 7.
  mutating func read(_ port: UInt16) -> UInt8 {
    switch port {
    case Register.data where isDivisorAccess: return UInt8(truncatingIfNeeded: divisor)
    case Register.interruptEnable where isDivisorAccess: return UInt8(truncatingIfNeeded: divisor >> 8)
    case Register.data: return received.take() ?? 0
    case Register.interruptEnable: return interruptEnable
    case Register.interruptIdentification:
      let identification = pending ?? UART8250.noInterrupt
      // To be told is what ends it.
      if identification == UART8250.transmitterEmpty { isTransmitInterruptPending = false }
      return identification | (hasFIFOs ? UART8250.fifosEnabled : 0)
    case Register.lineControl: return lineControl
    case Register.modemControl: return modemControl
    case Register.lineStatus:
      return UART8250.transmitterIdle | (received == nil ? 0 : UART8250.dataReady)
    case Register.modemStatus: return modemStatus
    case Register.scratch: return scratch
    default: return 0xFF
    }
  }

  /// Writes a register; port 0 to 7.
  ///
  /// - Returns: the byte that it transmits; nil: none.
  mutating func write(_ port: UInt16, _ value: UInt8) -> UInt8? {
    switch port {
    case Register.data where isDivisorAccess: divisor = divisor & 0xFF00 | UInt16(value)
    case Register.interruptEnable where isDivisorAccess: divisor = divisor & 0x00FF | UInt16(value) << 8
    case Register.data:
      // It is out at once, so that THR is empty again.
      isTransmitInterruptPending = true
      guard modemControl & UART8250.loopback == 0 else {
        received = value
        return nil
      }
      return value
    case Register.interruptEnable:
      let before = interruptEnable
      interruptEnable = value & UART8250.interruptEnableMask
      // Turned on while THR is empty, it interrupts.
      if interruptEnable & ~before & UART8250.transmitInterrupt != 0 { isTransmitInterruptPending = true }
    case Register.interruptIdentification:
      hasFIFOs = value & UART8250.fifoEnable != 0
      if value & UART8250.receiverReset != 0 { received = nil }
    case Register.lineControl: lineControl = value
    case Register.modemControl: modemControl = value & UART8250.modemControlMask
    case Register.scratch: scratch = value
    default: break  // The status registers.
    }
    return nil
  }

  /// A modem that is there and ready; in loopback what MCR drives.
  private var modemStatus: UInt8 {
    guard modemControl & UART8250.loopback != 0 else {
      return UART8250.clearToSend | UART8250.dataSetReady | UART8250.dataCarrierDetect
    }
    var status: UInt8 = 0
    if modemControl & UART8250.requestToSend != 0 { status |= UART8250.clearToSend }
    if modemControl & UART8250.dataTerminalReady != 0 { status |= UART8250.dataSetReady }
    if modemControl & UART8250.out1 != 0 { status |= UART8250.ringIndicator }
    if modemControl & UART8250.out2 != 0 { status |= UART8250.dataCarrierDetect }
    return status
  }
}
