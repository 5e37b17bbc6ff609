/// Where things are in PCI configuration space (PCI Express 6.0, 7.5), as far as a host needs them.
enum PCIConfiguration {
  /// Command register, 2 bytes.
  static let command: UInt64 = 0x04
  /// BAR0, 8 bytes.
  static let bar0: UInt64 = 0x10
  /// Where the first capability is, 1 byte.
  static let capabilitiesPointer: UInt64 = 0x34
  /// Most capabilities that fit into 256 bytes: the bound of a walk.
  static let maximumCapabilities = 48

  /// Bits of the command register.
  enum Command {
    static let memorySpace: UInt16 = 1 << 1
    static let busMaster: UInt16 = 1 << 2
    static let interruptDisable: UInt16 = 1 << 10
  }

  /// MSI-X: message control at 2, enable in bit 15, function mask in bit 14.
  enum MSIX {
    static let identifier: UInt8 = 0x11
    static let messageControl: UInt64 = 2
    static let enable: UInt16 = 1 << 15
  }

  /// PCI Express: device control at 8, function level reset in bit 15.
  enum Express {
    static let identifier: UInt8 = 0x10
    static let deviceControl: UInt64 = 8
    static let initiateFunctionLevelReset: UInt16 = 1 << 15
  }
}
