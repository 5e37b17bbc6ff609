import LinuxIO
import Logging
import NVMeController
import Storage

/// Opens what namespaces are made of.
enum NamespaceOpening {
  /// Opens the namespaces of a controller.
  ///
  /// - Parameter handedOver: the images of it that the configuration names are taken.
  /// - Returns: each with its identifier and its configuration, in which the identifier is set.
  /// - Throws: one sentence for the first that cannot be had.
  static func open(
    _ configuration: ControllerConfiguration, handedOver: inout HandedOver, logger: Logger
  ) throws(DaemonError) -> [UInt32: ServedNamespace] {
    var namespaces: [UInt32: ServedNamespace] = [:]
    for (namespace, nsid) in zip(configuration.namespaces, configuration.namespaceIdentifiers) {
      namespaces[nsid] = try open(
        namespace, nsid, serial: configuration.serial, handedOver: &handedOver, logger: logger)
    }
    return namespaces
  }

  /// Opens one namespace.
  static func open(
    _ configuration: NamespaceConfiguration, _ nsid: UInt32, serial: String, handedOver: inout HandedOver,
    logger: Logger
  ) throws(DaemonError) -> ServedNamespace {
    let backend = try backend(configuration, &handedOver, logger)
    let namespace = Namespace(
      backend: backend,
      nguid: configuration.nguid ?? Array(repeating: 0, count: 16),
      uuid: configuration.uuid ?? NamespaceIdentifiers.uuid(serial: serial, namespace: nsid),
      eui64: configuration.eui64 ?? Array(repeating: 0, count: 8),
      discards: configuration.discard && !backend.readOnly)
    logger.info(
      "namespace \(nsid): \(backend.blockCount) blocks of \(backend.logicalBlockSize.rawValue) bytes\(backend.readOnly ? ", read-only" : ""), \(name(configuration))"
    )
    var configuration = configuration
    configuration.nsid = Int(nsid)
    return ServedNamespace(configuration: configuration, namespace: namespace)
  }

  private static func backend(
    _ configuration: NamespaceConfiguration, _ handedOver: inout HandedOver, _ logger: Logger
  ) throws(DaemonError) -> BlockBackend {
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
    var inherited: FileDescriptor?
    if let number = configuration.inheritedImage {
      inherited = handedOver.takeImage(number)
      if inherited == nil { throw DaemonError("descriptor \(number): no image was handed over by that number") }
    }
    do throws(ImageError) {
      let image: DiskImage
      if let descriptor = inherited.take() {
        image = try DiskImage(descriptor: descriptor, name: name(configuration), options: options)
      } else {
        image = try DiskImage(path: configuration.imagePath ?? "", options: options)
      }
      warnOfTail(image, logger)
      return BlockBackend(image: image)
    } catch {
      throw DaemonError(error.description)
    }
  }

  /// Says what of an image no guest can reach.
  static func warnOfTail(_ image: DiskImage, _ logger: Logger) {
    if image.tailBytes > 0 {
      logger.warning("\(image.path): the last \(image.tailBytes) bytes are no whole block and are not used")
    }
  }

  /// What a namespace is made of, in messages.
  private static func name(_ configuration: NamespaceConfiguration) -> String {
    if let path = configuration.imagePath { return path }
    return configuration.inheritedImage.map { "descriptor \($0)" } ?? configuration.backend.rawValue
  }
}
