/// The I/O commands of the NVM command set and of the sets built on it (NVMe base 2.0, 7; NVM command set 1.0, 3;
/// Zoned Namespace command set 1.1, 3).
@frozen public enum NVMOpcode: UInt8, Sendable, CaseIterable {
  /// Flush.
  case flush = 0x00
  /// Write.
  case write = 0x01
  /// Read.
  case read = 0x02
  /// Write Uncorrectable.
  case writeUncorrectable = 0x04
  /// Compare.
  case compare = 0x05
  /// Write Zeroes.
  case writeZeroes = 0x08
  /// Dataset Management.
  case datasetManagement = 0x09
  /// Verify.
  case verify = 0x0C
  /// Reservation Register.
  case reservationRegister = 0x0D
  /// Reservation Report.
  case reservationReport = 0x0E
  /// Reservation Acquire.
  case reservationAcquire = 0x11
  /// I/O Management Receive.
  case ioManagementReceive = 0x12
  /// Reservation Release.
  case reservationRelease = 0x15
  /// Copy.
  case copy = 0x19
  /// I/O Management Send.
  case ioManagementSend = 0x1D
  /// Zone Management Send.
  case zoneManagementSend = 0x79
  /// Zone Management Receive.
  case zoneManagementReceive = 0x7A
  /// Zone Append.
  case zoneAppend = 0x7D
}

/// Which way a command moves data: bits 1:0 of every standard opcode (NVMe base 2.0, 3.3.3.1).
@frozen public enum DataTransferDirection: UInt8, Sendable {
  /// No data.
  case none = 0b00
  /// From the host to the controller, as Write does.
  case hostToController = 0b01
  /// From the controller to the host, as Read does.
  case controllerToHost = 0b10
  /// Both ways.
  case bidirectional = 0b11

  /// The direction that `opcode` tells.
  @inlinable public init(opcode: UInt8) {
    switch opcode & 0b11 {
    case 0b00: self = .none
    case 0b01: self = .hostToController
    case 0b10: self = .controllerToHost
    default: self = .bidirectional
    }
  }
}
