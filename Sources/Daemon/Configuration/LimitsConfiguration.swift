import NVMeController

/// The rate limits of a controller as they are written: each with its burst, both of which may be absent.
public struct LimitsConfiguration: Sendable, Equatable {
  /// One limit.
  public struct Limit: Sendable, Equatable {
    /// Operations or bytes a second; nil: there is no limit.
    public var perSecond: UInt64?
    /// Operations or bytes at once after a rest; nil: those of 100 ms.
    public var burst: UInt64?

    /// A limit of the given parts.
    public init(perSecond: UInt64? = nil, burst: UInt64? = nil) {
      self.perSecond = perSecond
      self.burst = burst
    }

    init(_ limit: RateLimit?) { self.init(perSecond: limit?.perSecond, burst: limit?.burst) }

    /// What the controller is told.
    var rateLimit: RateLimit? { perSecond.map { RateLimit(perSecond: $0, burst: burst) } }
  }

  /// Operations of all kinds.
  public var operations = Limit()
  /// Bytes read and written.
  public var bytes = Limit()
  /// Operations that read.
  public var readOperations = Limit()
  /// Bytes read.
  public var readBytes = Limit()
  /// Operations that write.
  public var writeOperations = Limit()
  /// Bytes written.
  public var writtenBytes = Limit()

  /// No limits.
  public init() {}

  /// What a controller has.
  public init(_ limits: RateLimits) {
    operations = Limit(limits.operations)
    bytes = Limit(limits.bytes)
    readOperations = Limit(limits.readOperations)
    readBytes = Limit(limits.readBytes)
    writeOperations = Limit(limits.writeOperations)
    writtenBytes = Limit(limits.writtenBytes)
  }

  /// What the controller is told.
  public var rateLimits: RateLimits {
    var limits = RateLimits()
    limits.operations = operations.rateLimit
    limits.bytes = bytes.rateLimit
    limits.readOperations = readOperations.rateLimit
    limits.readBytes = readBytes.rateLimit
    limits.writeOperations = writeOperations.rateLimit
    limits.writtenBytes = writtenBytes.rateLimit
    return limits
  }
}
