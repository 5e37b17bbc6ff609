import LinuxIO
import NVMeController
import Storage

/// Namespaces that come, go and change their size under a guest.
extension Supervisor {
  /// Adds a namespace to a controller: its guest is told, if it wants to be.
  ///
  /// - Parameters:
  ///   - name: of the controller.
  ///   - configuration: what it is made of.
  ///   - handedOver: an image that the configuration names by its number.
  /// - Returns: its identifier: the one that is asked for, or the lowest that is free.
  /// - Throws: everything that is wrong with its configuration, also together with that of the others; or why it cannot be
  ///   opened. Then nothing of it is left.
  public func addNamespace(
    controller name: String, _ configuration: NamespaceConfiguration, handedOver: consuming HandedOver? = nil
  ) throws(DaemonError) -> UInt32 {
    var handed = handedOver ?? HandedOver()
    return try change { () throws(DaemonError) in
      let controller = try controller(name)
      let nsid = try identifier(for: configuration, of: controller)
      var numbered = configuration
      numbered.nsid = Int(nsid)
      try check { whole in
        guard let index = whole.controllers.firstIndex(where: { $0.name == name }) else { return }
        whole.controllers[index].namespaces.append(numbered)
      }
      let whole = controller.configuration
      let namespace = try NamespaceOpening.open(
        numbered, nsid, serial: whole.serial, others: whole.namespaces, handedOver: &handed, logger: controller.logger)
      try add(namespace, nsid, to: controller)
      return nsid
    }
  }

  /// The identifier that a namespace gets.
  private func identifier(
    for configuration: NamespaceConfiguration, of controller: ServedController
  ) throws(DaemonError) -> UInt32 {
    let used = Set(controller.state.withLock { $0.namespaces }.keys)
    let limit = UInt32(ConfigurationSchema.namespaceLimit)
    if let asked = configuration.nsid {
      let nsid = UInt32(clamping: asked)
      guard (1...limit).contains(nsid) else {
        throw DaemonError("namespace id \(asked) is out of range; ask for one from 1 to \(limit)")
      }
      guard !used.contains(nsid) else {
        try refuseLeaving(nsid, of: controller)
        throw DaemonError("controller '\(controller.name)' has a namespace \(nsid); ask for another id, or for none")
      }
      return nsid
    }
    guard let free = (1...limit).first(where: { !used.contains($0) }) else {
      throw DaemonError("controller '\(controller.name)' has \(limit) namespaces, and can have no more")
    }
    return free
  }

  /// Shows an open namespace to the guest, of a change that is under way.
  func add(_ namespace: ServedNamespace, _ nsid: UInt32, to controller: ServedController) throws(DaemonError) {
    let done = try ask(controller) { server, patience throws(Errno) in
      try server.setNamespace(nsid, namespace.namespace, milliseconds: patience)
    }
    guard done != false else { throw DaemonError("namespace id \(nsid) is still in use; try again") }
    controller.state.withLock { $0.namespaces[nsid] = namespace }
    if done == nil {
      throw DaemonError("controller '\(controller.name)' is busy; namespace \(nsid) is there when it is not")
    }
  }

  /// Takes a namespace away from a controller: its guest is told, if it wants to be, commands in flight end, and its image
  /// is made durable and closed.
  ///
  /// - Throws: where there is no such namespace, or commands in flight do not end: the image is closed when they have.
  public func removeNamespace(controller name: String, nsid: UInt32) throws(DaemonError) {
    try change { () throws(DaemonError) in
      let controller = try controller(name)
      _ = try namespace(nsid, of: controller)
      try removeNamespace(nsid, of: controller)
    }
  }

  /// As `removeNamespace`, of a change that is under way. The caller has no reference to the image.
  func removeNamespace(_ nsid: UInt32, of controller: ServedController) throws(DaemonError) {
    let (closing, failure) = try takeAway(nsid, of: controller)
    try awaitClosing(closing.map { [$0] } ?? [], of: controller, failure: failure)
  }

  /// Waits until images that were taken away are closed: a query that is under way may have one a moment longer.
  ///
  /// - Parameter failure: why they may not be durable: thrown when they are closed, or when that is given up.
  func awaitClosing(
    _ closings: [ImageClosing], of controller: ServedController, failure: DaemonError?
  ) throws(DaemonError) {
    for closing in closings where !closing.wait(milliseconds: Supervisor.changePatience) {
      let text = "controller '\(controller.name)': an image that was removed is still in use; it is closed later"
      throw DaemonError(failure.map { "\($0); \(text)" } ?? text)
    }
    if let failure { throw failure }
  }

  /// Takes a namespace away and makes its image durable.
  ///
  /// - Returns: what tells when the image is closed, nil where there is none; and why it may not be durable.
  private func takeAway(
    _ nsid: UInt32, of controller: ServedController
  ) throws(DaemonError) -> (closing: ImageClosing?, failure: DaemonError?) {
    let name = controller.name
    controller.state.withLock { $0.namespaces[nsid]?.isLeaving = true }
    let done = try ask(controller) { server, patience throws(Errno) in
      try server.setNamespace(nsid, nil, milliseconds: patience)
    }
    guard done == true else {
      throw DaemonError(
        "namespace \(nsid) of controller '\(name)': commands in flight do not end; the guest does not see it any more, "
          + "and its image is closed when they have ended and it is removed again")
    }
    let removed = controller.state.withLock { $0.namespaces.removeValue(forKey: nsid) }
    guard let image = removed?.namespace.backend.image else { return (nil, nil) }
    guard !image.readOnly else { return (image.closing, nil) }
    let error: Errno?
    do throws(DaemonError) { error = try flush(image) } catch { return (nil, error) }
    let failure = error.map {
      DaemonError("namespace \(nsid) of controller '\(name)' is removed, but \(image.path) cannot be flushed: \($0)")
    }
    return (image.closing, failure)
  }

  /// Makes an image durable, by a worker.
  private func flush(_ image: DiskImage) throws(DaemonError) -> Errno? {
    let port: CompletionPort
    do throws(Errno) { port = try CompletionPort() } catch { return error }
    guard pool.workers.submit(StorageJob(token: 0, image: image, operation: .flush), to: port) else {
      return .wouldBlock
    }
    while true {
      for completion in port.take() { return completion.error }
      guard EventFD.wait(rawValue: port.eventFD, timeout: Supervisor.changePatience) else {
        throw DaemonError("\(image.path): a flush does not end")
      }
    }
  }

  /// Looks at the size of a namespace's image again: its guest is told of another one, if it wants to be. Commands beyond a
  /// smaller one fail (LBA Out of Range).
  ///
  /// - Returns: bytes.
  /// - Throws: where there is no such namespace, or its image cannot be looked at, or has become smaller than a block.
  @discardableResult
  public func resizeNamespace(controller name: String, nsid: UInt32) throws(DaemonError) -> UInt64 {
    try change { () throws(DaemonError) in
      let controller = try controller(name)
      try refuseLeaving(nsid, of: controller)
      return try resize(try namespace(nsid, of: controller), nsid, of: controller)
    }
  }

  /// As `resizeNamespace`, of a change that is under way.
  func resize(_ served: ServedNamespace, _ nsid: UInt32, of controller: ServedController) throws(DaemonError) -> UInt64
  {
    guard let image = served.namespace.backend.image else {
      throw DaemonError(
        "namespace \(nsid) of controller '\(controller.name)' has no image, and keeps the size that it was made with")
    }
    do throws(ImageError) { _ = try image.refreshSize() } catch { throw DaemonError(error.description) }
    guard image.blockCount > 0 else {
      throw DaemonError("\(image.path): \(image.size) bytes are less than a block; the namespace keeps its size")
    }
    guard image.blockCount != served.namespace.blockCount else { return image.size }
    NamespaceOpening.warnOfTail(image, controller.logger)
    let before = served.namespace
    var resized = served
    resized.namespace = Namespace(
      backend: before.backend, nguid: before.nguid, uuid: before.uuid, eui64: before.eui64, discards: before.discards)
    try add(resized, nsid, to: controller)
    controller.logger.info("namespace \(nsid): \(before.blockCount) blocks before, \(resized.namespace.blockCount) now")
    return image.size
  }

  /// - Throws: where a namespace was removed, and its guest's commands in flight had not ended.
  private func refuseLeaving(_ nsid: UInt32, of controller: ServedController) throws(DaemonError) {
    guard controller.state.withLock({ $0.namespaces[nsid]?.isLeaving }) == true else { return }
    throw DaemonError(
      "namespace \(nsid) of controller '\(controller.name)' is being removed; remove it again, to see whether its commands "
        + "have ended")
  }

  /// A namespace that is there.
  private func namespace(_ nsid: UInt32, of controller: ServedController) throws(DaemonError) -> ServedNamespace {
    let namespaces = controller.state.withLock { $0.namespaces }
    guard let namespace = namespaces[nsid] else {
      let list = namespaces.keys.sorted().map { "\($0)" }.joined(separator: ", ")
      throw DaemonError(
        "controller '\(controller.name)' has no namespace \(nsid); it has \(list.isEmpty ? "none" : list)")
    }
    return namespace
  }
}
