import DeviceServer
import Glibc
import NVMeController
import NVMeSpec
import Storage

/// The controllers that are fuzzed, with their namespaces: zeros at the beginning of each input.
enum FuzzDisk {
  /// Logical blocks of 512 bytes of the first two namespaces.
  static let blockCount = 128
  static let byteCount = blockCount << 9

  /// Namespace 1 in memory, with blocks of 512 bytes; 2 in memory, with blocks of 4 KiB; 3 in memory, read-only.
  static func inMemory() -> DeviceOptions {
    options([
      namespace(memory(byteCount), mark: 1), namespace(memory(2 * byteCount, .bytes4096), mark: 2),
      namespace(memory(byteCount, readOnly: true), mark: 3),
    ])
  }

  /// Namespace 1 in memory; 2 on a disk that answers when it is told to (`FuzzAIO`). Both with blocks of 512 bytes.
  static func onDisk() -> DeviceOptions {
    options([namespace(memory(byteCount), mark: 1), namespace(on: FuzzImage.make(.direct))])
  }

  /// The second namespace of `onDisk`, on another image.
  static func namespace(on image: DiskImage) -> Namespace { namespace(BlockBackend(image: image), mark: 2) }

  private static func options(_ namespaces: [Namespace]) -> DeviceOptions {
    var controller = ControllerDescription(serialNumber: "FUZZ", subsystemName: "nqn.2026-11.io.nvmed:fuzz")
    controller.queueCount = 4
    controller.queueEntries = 64
    controller.vectorCount = 5
    controller.maximumTransfer = 16 << 10
    controller.namespaceLimit = 4
    controller.shadowDoorbells = .on
    return DeviceOptions(name: "fuzz", controller: controller, namespaces: namespaces)
  }

  private static func namespace(_ backend: BlockBackend, mark: UInt8) -> Namespace {
    Namespace(
      backend: backend, nguid: [UInt8](repeating: mark, count: 16), uuid: [UInt8](repeating: mark, count: 16),
      eui64: [UInt8](repeating: mark, count: 8), discards: true)
  }

  private static func memory(
    _ bytes: Int, _ blockSize: LogicalBlockSize = .bytes512, readOnly: Bool = false
  ) -> BlockBackend {
    do {
      let backend = try BlockBackend(memory: UInt64(bytes), logicalBlockSize: blockSize, readOnly: readOnly)
      if readOnly { fillReadOnly(backend) } else { backends.append(backend) }
      return backend
    } catch { fatalError("no memory for a namespace: \(error)") }
  }

  // MARK: Content

  /// What is zeroed for each input that follows one that wrote.
  nonisolated(unsafe) private static var backends: [BlockBackend] = []
  /// What nobody may write to.
  nonisolated(unsafe) private static var readOnlyBackend: BlockBackend?
  /// Whether blocks may not be zero.
  nonisolated(unsafe) private static var isWritten = true
  private static let readOnlyContent: UInt8 = 0x5a

  /// Other than zeros, so that it shows where they are written or given back.
  private static func fillReadOnly(_ backend: BlockBackend) {
    if case .memory(let base, let count) = backend.handle { memset(base, Int32(readOnlyContent), count) }
    readOnlyBackend = backend
  }

  /// What comes may write to the namespaces in memory.
  static func noteWrites() { isWritten = true }

  /// All blocks are zero.
  static func reset() {
    FuzzImage.clear()
    guard isWritten else { return }
    isWritten = false
    for backend in backends { if case .memory(let base, let count) = backend.handle { memset(base, 0, count) } }
  }

  /// Whether the read-only namespace holds what it held.
  static var readOnlyHolds: Bool {
    guard let readOnlyBackend, case .memory(let base, let count) = readOnlyBackend.handle else { return true }
    // Each byte is the one before it, and the first is right.
    return base.load(as: UInt8.self) == readOnlyContent && memcmp(base, base + 1, count - 1) == 0
  }
}
