/// CNS: the structures that Identify returns (NVMe base 2.0, 5.17).
@frozen public enum IdentifyCNS: UInt8, Sendable, CaseIterable {
  /// ``IdentifyNamespace``.
  case namespace = 0x00
  /// ``IdentifyController``.
  case controller = 0x01
  /// A ``NamespaceList`` of the active namespaces.
  case activeNamespaceList = 0x02
  /// ``NamespaceIdentificationDescriptorList``.
  case namespaceIdentificationDescriptorList = 0x03
  /// NVM set list.
  case nvmSetList = 0x04
  /// A namespace, specific to an I/O command set: ``IdentifyNVMNamespace``.
  case ioCommandSetSpecificNamespace = 0x05
  /// The controller, specific to an I/O command set: ``IdentifyNVMController``.
  case ioCommandSetSpecificController = 0x06
  /// A ``NamespaceList`` of the active namespaces of an I/O command set.
  case ioCommandSetSpecificActiveNamespaceList = 0x07
  /// ``IdentifyIOCommandSetIndependentNamespace``.
  case ioCommandSetIndependentNamespace = 0x08
  /// A namespace with another user data format.
  case namespaceUserDataFormat = 0x09
  /// A namespace with another user data format, specific to an I/O command set.
  case ioCommandSetSpecificNamespaceUserDataFormat = 0x0A
  /// A ``NamespaceList`` of the allocated namespaces.
  case allocatedNamespaceList = 0x10
  /// ``IdentifyNamespace`` of an allocated namespace.
  case allocatedNamespace = 0x11
  /// A ``ControllerList`` of the controllers that a namespace is attached to.
  case namespaceAttachedControllerList = 0x12
  /// A ``ControllerList`` of the controllers in the subsystem.
  case controllerList = 0x13
  /// Primary controller capabilities.
  case primaryControllerCapabilities = 0x14
  /// Secondary controller list.
  case secondaryControllerList = 0x15
  /// Namespace granularity list.
  case namespaceGranularityList = 0x16
  /// UUID list.
  case uuidList = 0x17
  /// Domain list.
  case domainList = 0x18
  /// Endurance group list.
  case enduranceGroupList = 0x19
  /// A ``NamespaceList`` of the allocated namespaces of an I/O command set.
  case ioCommandSetSpecificAllocatedNamespaceList = 0x1A
  /// An allocated namespace, specific to an I/O command set.
  case ioCommandSetSpecificAllocatedNamespace = 0x1B
  /// ``IOCommandSetCombinations``.
  case ioCommandSet = 0x1C

  /// The size of every structure in bytes.
  @inlinable public static var dataByteCount: Int { 4096 }
}
