import KVM
import LinuxIO

/// The guest's two serial ports: the console, whose output goes to a file, and the one that takes the guest's status.
struct SerialPorts: ~Copyable {
  private var console = UART8250()
  private var statusPort = UART8250()
  private var consoleLine = false
  private var statusLine = false
  private var output: ConsoleOutput
  private var line = StatusLine()

  /// Ports with a console.
  init(_ output: consuming ConsoleOutput) { self.output = output }

  /// What the guest reported; nil: nothing.
  var status: UInt8? { line.status }

  /// Writes what is left of the console's last line.
  mutating func finish() { output.finish() }

  /// Reads a port of either.
  ///
  /// - Returns: nil for another port.
  /// - Throws: what `VirtualMachine.setInterruptLine` throws.
  mutating func read(port: UInt16, _ machine: borrowing VirtualMachine) throws(Errno) -> UInt8? {
    if let register = SerialPorts.register(port, ACPITables.console) {
      let value = console.read(register)
      try setLines(machine)
      return value
    }
    if let register = SerialPorts.register(port, ACPITables.status) {
      let value = statusPort.read(register)
      try setLines(machine)
      return value
    }
    return nil
  }

  /// Writes a port of either.
  ///
  /// - Returns: whether it is one.
  /// - Throws: what `VirtualMachine.setInterruptLine` throws.
  mutating func write(port: UInt16, _ value: UInt8, _ machine: borrowing VirtualMachine) throws(Errno) -> Bool {
    if let register = SerialPorts.register(port, ACPITables.console) {
      if let byte = console.write(register, value) { output.write(byte) }
    } else if let register = SerialPorts.register(port, ACPITables.status) {
      if let byte = statusPort.write(register, value) { line.receive(byte) }
    } else {
      return false
    }
    try setLines(machine)
    return true
  }

  private static func register(_ port: UInt16, _ serial: ACPITables.SerialPort) -> UInt16? {
    guard port >= serial.port, port - serial.port < UART8250.portCount else { return nil }
    return port - serial.port
  }

  private mutating func setLines(_ machine: borrowing VirtualMachine) throws(Errno) {
    if console.interruptLine != consoleLine {
      consoleLine.toggle()
      try machine.setInterruptLine(UInt32(ACPITables.console.interrupt), consoleLine)
    }
    if statusPort.interruptLine != statusLine {
      statusLine.toggle()
      try machine.setInterruptLine(UInt32(ACPITables.status.interrupt), statusLine)
    }
  }
}
