import NVMeController
import PCIDevice

/// What a device server serves.
public struct DeviceOptions: Sendable {
  /// For log lines.
  public var name: String
  /// The controller.
  public var controller: ControllerDescription
  /// Its PCI identity.
  public var identity: PCIIdentity
  /// Its namespaces, at the place of their identifier - 1; nil where there is none.
  public var namespaces: [Namespace?]
  /// The I/O thread that processes all queues; nil: they are spread over all threads.
  public var ioThread: Int?
  /// How the values of doorbells arrive that come without a message.
  public var postWrite = PostWrite.byClient
  /// DMA ranges of a client at most.
  public var dmaMapLimit = ClientLimits.dmaMaps

  /// Options with the defaults.
  public init(name: String, controller: ControllerDescription, namespaces: [Namespace?]) {
    self.name = name
    self.controller = controller
    identity = .experimental
    self.namespaces = namespaces
  }
}
