import CLinux
import DeviceServer
import Glibc
import LinuxIO
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
  static func onDisk() -> DeviceOptions { options([namespace(memory(byteCount), mark: 1), slowNamespace()]) }

  /// The second namespace of `onDisk`, made anew.
  static func slowNamespace() -> Namespace { namespace(BlockBackend(image: image), mark: 2) }

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
      if !readOnly { backends.append(backend) }
      return backend
    } catch { fatalError("no memory for a namespace: \(error)") }
  }

  /// What is zeroed for each input.
  nonisolated(unsafe) private static var backends: [BlockBackend] = []
  nonisolated(unsafe) private static var imageBase: UnsafeMutableRawPointer?

  private static let image: DiskImage = {
    do {
      let number = clinux_memfd_create("fuzz-disk", UInt32(CLINUX_MFD_CLOEXEC))
      guard number >= 0, ftruncate(number, byteCount) == 0 else { throw Errno.current }
      // Whether it is written to directly makes no difference to the disk, which is not the kernel's.
      let image = try DiskImage(
        descriptor: FileDescriptor(owning: number), name: "fuzz-disk",
        options: ImageOptions(cache: .buffered, lock: false))
      imageBase = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0)
      guard imageBase != MAP_FAILED else { throw Errno.current }
      return image
    } catch { fatalError("no disk: \(error)") }
  }()

  /// All blocks are zero.
  static func reset() {
    for backend in backends { if case .memory(let base, let count) = backend.handle { memset(base, 0, count) } }
    if let imageBase { memset(imageBase, 0, byteCount) }
  }
}
