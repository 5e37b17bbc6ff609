/// CSTS: the controller's state (NVMe base 2.0, 3.1.3.6).
@frozen public struct ControllerStatus: RawRepresentable, Equatable, Sendable {
  /// The register.
  public var rawValue: UInt32

  /// Wraps the register.
  @inlinable public init(rawValue: UInt32 = 0) { self.rawValue = rawValue }

  /// RDY: whether commands are processed; follows CC.EN.
  @inlinable public var ready: Bool {
    get { rawValue.bit(0) }
    set { rawValue.setBit(0, to: newValue) }
  }

  /// CFS: whether a fatal error occurred that only a reset ends.
  @inlinable public var controllerFatalStatus: Bool {
    get { rawValue.bit(1) }
    set { rawValue.setBit(1, to: newValue) }
  }

  /// SHST: how far a shutdown is.
  @inlinable public var shutdownStatus: ShutdownStatus {
    get { ShutdownStatus(bits: rawValue &>> 2) }
    set { rawValue.setField(at: 2, width: 2, to: UInt32(newValue.rawValue)) }
  }

  /// NSSRO: whether a subsystem reset occurred; the host clears it by writing 1.
  @inlinable public var nssro: Bool {
    get { rawValue.bit(4) }
    set { rawValue.setBit(4, to: newValue) }
  }

  /// PP: whether command processing is paused.
  @inlinable public var processingPaused: Bool {
    get { rawValue.bit(5) }
    set { rawValue.setBit(5, to: newValue) }
  }

  /// ST: whether the shutdown that ``shutdownStatus`` tells of is one of the subsystem.
  @inlinable public var subsystemShutdown: Bool {
    get { rawValue.bit(6) }
    set { rawValue.setBit(6, to: newValue) }
  }
}

/// CSTS.SHST: how far a shutdown is.
@frozen public enum ShutdownStatus: UInt8, Sendable {
  /// No shutdown was asked for.
  case normalOperation = 0
  /// It is being processed.
  case inProgress = 1
  /// It is complete; only a reset brings the controller back.
  case complete = 2
  /// Reserved.
  case reserved = 3

  @inlinable init(bits: UInt32) {
    switch bits & 3 {
    case 0: self = .normalOperation
    case 1: self = .inProgress
    case 2: self = .complete
    default: self = .reserved
    }
  }
}
