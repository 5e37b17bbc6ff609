import DeviceServer
import NVMeController
import NVMeSpec
import Storage

/// The controller that is fuzzed: two namespaces in memory.
enum FuzzDisk {
  /// Logical blocks of 512 bytes of the first namespace.
  static let blockCount = 256

  static func options() -> DeviceOptions {
    var controller = ControllerDescription(serialNumber: "FUZZ", subsystemName: "nqn.2026-11.io.nvmed:fuzz")
    controller.queueCount = 4
    controller.queueEntries = 64
    controller.vectorCount = 5
    controller.maximumTransfer = 16 << 10
    controller.shadowDoorbells = .on
    return DeviceOptions(
      name: "fuzz", controller: controller,
      namespaces: [namespace(bytes: blockCount << 9, mark: 1), namespace(bytes: 1 << 20, mark: 2)])
  }

  private static func namespace(bytes: Int, mark: UInt8) -> Namespace {
    do {
      return Namespace(
        backend: try BlockBackend(memory: UInt64(bytes)), nguid: [UInt8](repeating: mark, count: 16),
        uuid: [UInt8](repeating: mark, count: 16), eui64: [UInt8](repeating: mark, count: 8), discards: true)
    } catch { fatalError("no memory for a namespace: \(error)") }
  }
}
