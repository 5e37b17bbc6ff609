/// What a write to configuration space changed, for the device behind it to act on.
public struct ConfigurationEvents: OptionSet, Sendable {
  /// One bit per event.
  public let rawValue: UInt8
  /// Events of the given bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// A function level reset was asked for (Device Control bit 15).
  ///
  /// Nothing has been reset yet: stop the device, then call `ConfigurationSpace.functionLevelReset()`.
  public static let functionLevelReset = ConfigurationEvents(rawValue: 1 << 0)
  /// Bus Master Enable changed: without it there is no DMA and no interrupt.
  public static let busMasterChanged = ConfigurationEvents(rawValue: 1 << 1)
  /// Memory Space Enable changed.
  public static let memorySpaceChanged = ConfigurationEvents(rawValue: 1 << 2)
  /// The function went from D0 to D3hot or back.
  public static let powerStateChanged = ConfigurationEvents(rawValue: 1 << 3)
  /// MSI-X Enable or Function Mask changed.
  public static let msixControlChanged = ConfigurationEvents(rawValue: 1 << 4)
  /// `ConfigurationSpace.bar0Address` changed, by its register or by Memory Space Enable.
  public static let bar0AddressChanged = ConfigurationEvents(rawValue: 1 << 5)
}

/// The power states that the function offers (PCI Express Base Specification, 5.3.1).
public enum PCIPowerState: Sendable {
  /// Working.
  case d0
  /// Answers configuration accesses only; the device processes nothing and keeps its state.
  case d3hot
}
