import DeviceServer
import Doorbells
import LinuxIO
import Logging
import NVMeController
import PCIDevice

/// A controller that could be served: everything that it needs of files and sockets is open.
struct OpenedController: ~Copyable {
  let configuration: ControllerConfiguration
  let namespaces: [UInt32: ServedNamespace]
  let options: DeviceOptions
  let endpoint: DeviceEndpoint
  let logger: Logger

  /// Opens the images and the socket of a controller.
  ///
  /// - Parameters:
  ///   - handedOver: what of it is handed over is taken.
  ///   - ways: how doorbell values can arrive on this host.
  /// - Throws: one sentence on the first thing that cannot be had; nothing is left open.
  static func open(
    _ configuration: ControllerConfiguration, handedOver: inout HandedOver, ways: PostWriteWays, logger: Logger
  ) throws(DaemonError) -> OpenedController {
    let namespaces = try NamespaceOpening.open(configuration, handedOver: &handedOver, logger: logger)
    var options = options(configuration, namespaces)
    do throws(DoorbellTracerError) { options.postWrite = try ways.postWrite(configuration.postWrite) } catch {
      throw DaemonError("controller '\(configuration.name)': post_write = \"ebpf\" is not possible here: \(error)")
    }
    let endpoint = try EndpointOpening.open(configuration, handedOver: &handedOver)
    return OpenedController(
      configuration: configuration, namespaces: namespaces, options: options, endpoint: endpoint, logger: logger)
  }

  private static func options(
    _ configuration: ControllerConfiguration, _ namespaces: [UInt32: ServedNamespace]
  ) -> DeviceOptions {
    var controller = ControllerDescription(
      serialNumber: configuration.serial, modelNumber: configuration.model,
      subsystemName: "nqn.2026-11.io.nvmed:\(configuration.serial)")
    controller.firmwareRevision = configuration.firmware
    controller.queueCount = configuration.ioQueues
    controller.queueEntries = configuration.queueEntries
    controller.maximumTransfer = configuration.maximumDataTransfer
    controller.vectorCount = configuration.ioQueues + 1
    controller.doorbells = configuration.doorbells == .poll ? .poll : .ioeventfd
    controller.shadowDoorbells = configuration.shadowDoorbells
    controller.namespaceLimit = ConfigurationSchema.namespaceLimit
    controller.limits = configuration.limits.rateLimits
    let places = (1...UInt32(ConfigurationSchema.namespaceLimit)).map { namespaces[$0]?.namespace }
    var options = DeviceOptions(name: configuration.name, controller: controller, namespaces: places)
    options.ioThread = configuration.ioThread
    if let vendor = configuration.vendorID, let device = configuration.deviceID {
      options.identity = PCIIdentity(vendor: vendor, device: device, subsystemVendor: vendor, subsystem: device)
    }
    return options
  }
}
