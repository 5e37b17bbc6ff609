import NVMeController

/// What a device server is doing.
public struct DeviceStatus: Sendable {
  /// Whether somebody is connected.
  public enum State: Sendable {
    /// Nobody.
    case idle
    /// A client.
    case serving
    /// A client has gone, or the server ends: what is in flight is awaited.
    case ending
  }

  /// How the values of I/O queue doorbells come, beside messages.
  public enum Doorbells: Sendable {
    /// The client has not asked.
    case unsettled
    /// Not at all.
    case none
    /// Into slots that the client or KVM fills.
    case slots
    /// Into slots that an eBPF program of this process fills.
    case traced
  }

  /// Whether somebody is connected.
  public var state: State
  /// The process that connected, as `SO_PEERCRED` says; nil where nobody is connected, or the kernel does not say.
  public var client: Int32?
  /// The controller; nil where nobody is connected.
  public var controller: ControllerSnapshot?
  /// How doorbell values come, beside messages.
  public var doorbells: Doorbells
  /// Ranges of guest memory.
  public var dmaMapCount: Int
  /// Bytes of guest memory.
  public var dmaByteCount: UInt64
  /// Interrupt vectors with an eventfd of the client, in order.
  public var installedVectors: [Int]

  /// Nobody is connected.
  static var idle: DeviceStatus {
    DeviceStatus(
      state: .idle, client: nil, controller: nil, doorbells: .unsettled, dmaMapCount: 0, dmaByteCount: 0,
      installedVectors: [])
  }
}
