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
    for (index, nsid) in configuration.namespaceIdentifiers.enumerated() {
      var others = configuration.namespaces
      let namespace = others.remove(at: index)
      namespaces[nsid] = try open(
        namespace, nsid, serial: configuration.serial, others: others, handedOver: &handedOver, logger: logger)
    }
    return namespaces
  }

  /// Opens one namespace of a controller.
  ///
  /// - Parameter others: the controller's other namespaces.
  static func open(
    _ configuration: NamespaceConfiguration, _ nsid: UInt32, serial: String, others: [NamespaceConfiguration],
    handedOver: inout HandedOver, logger: Logger
  ) throws(DaemonError) -> ServedNamespace {
    let backend = try backend(configuration, &handedOver, logger)
    let identifiers = NamespaceIdentifiers(
      serial: serial, nsid: nsid, image: backend.image, others: others.compactMap(\.imagePath))
    let namespace = Namespace(
      backend: backend, nguid: configuration.nguid ?? identifiers.nguid, uuid: configuration.uuid ?? identifiers.uuid,
      eui64: configuration.eui64 ?? identifiers.eui64,
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
      if case .noPermission = error.reason, Confinement.hides(error.path) {
        throw DaemonError(
          "\(error.path): the sandbox does not leave its folder open; add it to daemon.image_folders and restart nvmed, or "
            + "hand the image over as a descriptor")
      }
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
