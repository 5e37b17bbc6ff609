/// The PCI Express configuration space of an NVMe controller (PCI Express Base Specification, chapter 7).
///
/// Class 010802h, BAR0 (64-bit, registers and doorbells), BAR4 (64-bit, MSI-X), no interrupt pin; capabilities Power
/// Management, MSI-X, PCI Express. The extended space from 100h on is there and empty: a zero header is how software
/// finds that there are no extended capabilities. A plain value: effects of a write come back as `ConfigurationEvents`.
/// Not thread-safe.
public struct ConfigurationSpace: Sendable, Equatable {
  /// Size of the space in bytes, extended space included.
  public static let size = 4096
  /// Bytes that hold registers; all above reads as zero and ignores writes.
  private static let compatibleSize = 256

  private var bytes: [UInt8]
  private let defaults: [UInt8]
  private let writable: [UInt8]
  private let clearable: [UInt8]
  private let kept: [UInt8]

  /// Configuration space after a conventional reset.
  public init(identity: PCIIdentity = .experimental, msix: MSIXLayout) {
    let empty = [UInt8](repeating: 0, count: Self.compatibleSize)
    var defaults = empty
    var writable = empty
    var clearable = empty
    var kept = empty
    let registers =
      ConfigurationHeader.registers(identity: identity, msix: msix) + PowerManagementCapability.registers
      + MSIXCapability.registers(msix) + PCIExpressCapability.registers
    for register in registers {
      let range = register.offset..<register.offset + register.width
      defaults.replaceSubrange(range, with: register.bytes(register.value))
      writable.replaceSubrange(range, with: register.bytes(register.writable))
      clearable.replaceSubrange(range, with: register.bytes(register.clearable))
      kept.replaceSubrange(range, with: register.bytes(register.kept))
    }
    self.bytes = defaults
    self.defaults = defaults
    self.writable = writable
    self.clearable = clearable
    self.kept = kept
  }

  // MARK: Access

  /// Reads `destination.count` bytes at `offset`, of any width and alignment.
  ///
  /// - Returns: `false`, with nothing read, when the range does not lie in the space.
  public func read(at offset: UInt64, into destination: inout MutableSpan<UInt8>) -> Bool {
    guard let start = regionOffset(offset, count: destination.count, size: UInt64(Self.size)) else { return false }
    for index in 0..<destination.count {
      let position = start + index
      destination[index] = position < bytes.count ? bytes[position] : 0
    }
    return true
  }

  /// Reads `count` bytes at `offset`, of any width and alignment.
  ///
  /// - Returns: `nil` when the range does not lie in the space.
  public func read(at offset: UInt64, count: Int) -> [UInt8]? {
    guard regionOffset(offset, count: count, size: UInt64(Self.size)) != nil else { return nil }
    var result = [UInt8](repeating: 0, count: count)
    var span = result.mutableSpan
    return read(at: offset, into: &span) ? result : nil
  }

  /// Writes `source` at `offset`, of any width and alignment: each bit as its register allows, byte by byte.
  ///
  /// - Returns: what changed; `nil`, with nothing written, when the range does not lie in the space.
  public mutating func write(at offset: UInt64, from source: Span<UInt8>) -> ConfigurationEvents? {
    guard let start = regionOffset(offset, count: source.count, size: UInt64(Self.size)) else { return nil }
    let before = self
    var events: ConfigurationEvents = []
    for index in 0..<source.count {
      let position = start + index
      guard position < bytes.count else { break }
      let value = source[index]
      var byte = bytes[position]
      byte = byte & ~writable[position] | value & writable[position]
      byte &= ~(value & clearable[position])
      bytes[position] = byte
      if position == PCIExpressCapability.deviceControlOffset + 1,
        UInt16(value) << 8 & PCIExpressCapability.initiateFunctionLevelReset != 0
      {
        events.insert(.functionLevelReset)
      }
    }
    keepSupportedPowerState(before)
    return events.union(changes(since: before))
  }

  /// Writes `source` at `offset`; see `write(at:from:)`.
  public mutating func write(at offset: UInt64, bytes source: [UInt8]) -> ConfigurationEvents? {
    write(at: offset, from: source.span)
  }

  /// A write of D1 or D2 completes and is discarded, as the specification asks for states that are not offered.
  private mutating func keepSupportedPowerState(_ before: ConfigurationSpace) {
    let offset = PowerManagementCapability.controlOffset
    let mask = PowerManagementCapability.powerStateMask
    let state = bytes[offset] & mask
    if state != 0, state != PowerManagementCapability.d3hot {
      bytes[offset] = bytes[offset] & ~mask | before.bytes[offset] & mask
    }
  }

  private func changes(since before: ConfigurationSpace) -> ConfigurationEvents {
    var events: ConfigurationEvents = []
    if busMasterEnabled != before.busMasterEnabled { events.insert(.busMasterChanged) }
    if memorySpaceEnabled != before.memorySpaceEnabled { events.insert(.memorySpaceChanged) }
    if powerState != before.powerState { events.insert(.powerStateChanged) }
    if msixEnabled != before.msixEnabled || msixFunctionMask != before.msixFunctionMask {
      events.insert(.msixControlChanged)
    }
    if bar0Address != before.bar0Address { events.insert(.bar0AddressChanged) }
    return events
  }

  // MARK: What the registers say

  /// Command bit 2: the function may issue DMA and interrupts.
  public var busMasterEnabled: Bool {
    word(ConfigurationHeader.commandOffset) & ConfigurationHeader.busMasterEnable != 0
  }

  /// Command bit 1: the function answers accesses to its BARs.
  public var memorySpaceEnabled: Bool {
    word(ConfigurationHeader.commandOffset) & ConfigurationHeader.memorySpaceEnable != 0
  }

  /// The power state of the function.
  public var powerState: PCIPowerState {
    bytes[PowerManagementCapability.controlOffset] & PowerManagementCapability.powerStateMask == 0 ? .d0 : .d3hot
  }

  /// MSI-X Message Control bit 15.
  public var msixEnabled: Bool { word(MSIXCapability.controlOffset) & MSIXCapability.enable != 0 }

  /// MSI-X Message Control bit 14: all vectors are masked.
  public var msixFunctionMask: Bool { word(MSIXCapability.controlOffset) & MSIXCapability.functionMask != 0 }

  /// The guest-physical address of BAR0; `nil` while Memory Space Enable is clear.
  public var bar0Address: UInt64? {
    guard memorySpaceEnabled else { return nil }
    let address = (0..<8).reduce(UInt64(0)) {
      $0 | UInt64(bytes[ConfigurationHeader.bar0Offset + $1]) << UInt64($1 * 8)
    }
    return address & ~0xf
  }

  private func word(_ offset: Int) -> UInt16 { UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8 }

  // MARK: Reset

  /// Conventional reset: every register at its default, as for a client that has just connected.
  public mutating func reset() { bytes = defaults }

  /// Function level reset: every register at its default except those that the specification (6.6.2) keeps.
  ///
  /// Kept are Max_Payload_Size, Link Control and Target Link Speed, which describe the link and not the function.
  public mutating func functionLevelReset() {
    for index in bytes.indices { bytes[index] = bytes[index] & kept[index] | defaults[index] & ~kept[index] }
  }

  // MARK: State that outlives the process

  /// The registers as plain bytes, for a daemon that takes over the device.
  public var encodedState: [UInt8] { bytes }

  /// Takes over registers that `encodedState` gave, of a space of the same identity and layout.
  ///
  /// - Returns: `false`, with nothing changed, for bytes of another length, of a device whose read-only bits differ,
  ///   or with a power state that does not exist.
  public mutating func restore(encodedState state: [UInt8]) -> Bool {
    guard state.count == bytes.count else { return false }
    for index in state.indices {
      let fixed = ~(writable[index] | clearable[index])
      guard state[index] & fixed == defaults[index] & fixed else { return false }
    }
    let powerState = state[PowerManagementCapability.controlOffset] & PowerManagementCapability.powerStateMask
    guard powerState == 0 || powerState == PowerManagementCapability.d3hot else { return false }
    bytes = state
    return true
  }
}
