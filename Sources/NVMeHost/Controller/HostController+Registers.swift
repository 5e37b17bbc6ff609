import LinuxIO
import NVMeSpec
import VFIOUser

/// The registers of BAR0 (``ControllerRegister``), and any region whatever.
extension HostController {
  /// Reads bytes of a region (REGION_READ).
  ///
  /// - Throws: `message`, as every call here.
  public func readRegion(_ region: RegionIndex, at offset: UInt64, count: UInt32) throws(HostError) -> [UInt8] {
    try connection.withClient { (client) throws(Errno) in
      try client.regionRead(region, offset: offset, count: count).bytes
    }
  }

  /// Writes bytes to a region (REGION_WRITE).
  public func writeRegion(
    _ region: RegionIndex, at offset: UInt64, _ bytes: [UInt8], posted: Bool = false
  ) throws(HostError) {
    try connection.withClient { (client) throws(Errno) in
      try client.regionWrite(region, offset: offset, RegionData(bytes), posted: posted)
    }
  }

  /// Reads a 32-bit register.
  public func readRegister32(_ offset: UInt64) throws(HostError) -> UInt32 {
    try connection.withClient { (client) throws(Errno) in
      UInt32(truncatingIfNeeded: try client.regionRead(.bar0, offset: offset, count: 4).value)
    }
  }

  /// Writes a 32-bit register.
  public func writeRegister32(_ offset: UInt64, _ value: UInt32) throws(HostError) {
    let posted = options.postsRegisterWrites
    try connection.withClient { (client) throws(Errno) in
      try client.regionWrite(.bar0, offset: offset, RegionData(UInt64(value), count: 4), posted: posted)
    }
  }

  /// Reads a 64-bit register, at once or in halves as the options say.
  public func readRegister64(_ offset: UInt64) throws(HostError) -> UInt64 {
    if options.splitsRegisters {
      let low = try readRegister32(offset)
      return UInt64(low) | UInt64(try readRegister32(offset + 4)) << 32
    }
    return try connection.withClient { (client) throws(Errno) in
      try client.regionRead(.bar0, offset: offset, count: 8).value
    }
  }

  /// Writes a 64-bit register, at once or in halves as the options say.
  public func writeRegister64(_ offset: UInt64, _ value: UInt64) throws(HostError) {
    if options.splitsRegisters {
      try writeRegister32(offset, UInt32(truncatingIfNeeded: value))
      try writeRegister32(offset + 4, UInt32(truncatingIfNeeded: value >> 32))
      return
    }
    let posted = options.postsRegisterWrites
    try connection.withClient { (client) throws(Errno) in
      try client.regionWrite(.bar0, offset: offset, RegionData(value, count: 8), posted: posted)
    }
  }

  /// Reads CSTS.
  public func status() throws(HostError) -> ControllerStatus {
    ControllerStatus(rawValue: try readRegister32(ControllerRegister.status))
  }

  /// Reads CC.
  public func configuration() throws(HostError) -> ControllerConfiguration {
    ControllerConfiguration(rawValue: try readRegister32(ControllerRegister.configuration))
  }

  /// Writes CC.
  public func write(_ configuration: ControllerConfiguration) throws(HostError) {
    try writeRegister32(ControllerRegister.configuration, configuration.rawValue)
  }

  /// Reads CSTS until it is as wanted.
  ///
  /// - Parameters:
  ///   - what: for the error.
  ///   - timeout: in ns.
  ///   - toleratesFailure: whether CSTS.CFS may be set, as during a reset that is to clear it.
  ///   - isWanted: what is waited for.
  /// - Throws: `timedOut`, `controllerFailed`.
  public func awaitStatus(
    _ what: String, timeout: UInt64, toleratesFailure: Bool = false, _ isWanted: (ControllerStatus) -> Bool
  ) throws(HostError) {
    let deadline = Clock.monotonic &+ timeout
    while true {
      let status = try status()
      if status.rawValue == .max || (status.controllerFatalStatus && !toleratesFailure) {
        throw .controllerFailed(status)
      }
      if isWanted(status) { return }
      if Clock.monotonic >= deadline { throw .timedOut(what) }
      yieldProcessor()
    }
  }
}
