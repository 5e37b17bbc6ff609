/// Why a controller must not do DMA.
struct PauseReasons: OptionSet, Sendable {
  let rawValue: UInt8
  /// PCI Command register: Bus Master Enable is 0.
  static let busMaster = PauseReasons(rawValue: 1)
  /// PCI power management: D3hot.
  static let powerState = PauseReasons(rawValue: 2)
  /// CC.SHN: shut down until the next reset.
  static let shutdown = PauseReasons(rawValue: 4)
  /// CSTS.CFS: failed until the next reset.
  static let failure = PauseReasons(rawValue: 8)
  /// A moment in which nothing is in flight and everything is durable.
  static let drain = PauseReasons(rawValue: 16)
}
