import LinuxIO
import Logging
import NVMeController
import Storage

/// Opens what namespaces are made of.
enum NamespaceOpening {
  /// Opens the namespaces of a controller.
  ///
  /// - Throws: one sentence for the first that cannot be had.
  static func open(_ configuration: ControllerConfiguration, logger: Logger) throws(DaemonError) -> [Namespace] {
    var namespaces: [Namespace] = []
    for (index, namespace) in configuration.namespaces.enumerated() {
      let identifier = UInt32(index + 1)
      let backend = try backend(namespace, logger)
      namespaces.append(
        Namespace(
          backend: backend,
          nguid: namespace.nguid ?? Array(repeating: 0, count: 16),
          uuid: namespace.uuid ?? NamespaceIdentifiers.uuid(serial: configuration.serial, namespace: identifier),
          eui64: namespace.eui64 ?? Array(repeating: 0, count: 8),
          discards: namespace.discard && !backend.readOnly))
      logger.info(
        "namespace \(identifier): \(backend.blockCount) blocks of \(backend.logicalBlockSize.rawValue) bytes\(backend.readOnly ? ", read-only" : ""), \(namespace.imagePath ?? namespace.backend.rawValue)"
      )
    }
    return namespaces
  }

  private static func backend(_ configuration: NamespaceConfiguration, _ logger: Logger) throws(DaemonError)
    -> BlockBackend
  {
    let blockSize = LogicalBlockSize(rawValue: configuration.blockSize) ?? .bytes512
    do throws(Errno) {
      switch configuration.backend {
      case .null: return try BlockBackend(null: configuration.size ?? 0, logicalBlockSize: blockSize)
      case .memory:
        return try BlockBackend(
          memory: configuration.size ?? 0, logicalBlockSize: blockSize, readOnly: configuration.isReadOnly)
      case .file: break
      }
    } catch {
      throw DaemonError("a \(configuration.backend.rawValue) namespace cannot be made: \(error)")
    }
    let options = ImageOptions(
      readOnly: configuration.isReadOnly, logicalBlockSize: blockSize,
      cache: configuration.cache == .direct ? .direct : .buffered, lock: configuration.lock)
    do throws(ImageError) {
      let image: DiskImage
      if let number = configuration.inheritedImage {
        image = try DiskImage(
          descriptor: FileDescriptor(owning: number), name: configuration.imagePath ?? "descriptor \(number)",
          options: options)
      } else {
        image = try DiskImage(path: configuration.imagePath ?? "", options: options)
      }
      if image.tailBytes > 0 {
        logger.warning("\(image.path): the last \(image.tailBytes) bytes are no whole block and are not used")
      }
      return BlockBackend(image: image)
    } catch {
      throw DaemonError(error.description)
    }
  }
}
