import NVMeSpec

/// Admin commands, each from submission to completion.
extension HostController {
  /// Does whatever with the admin queue: submit several commands, leave some in flight, ring late.
  ///
  /// - Throws: `missing` before `enable()`, what `body` throws.
  public func withAdminQueue<Result: ~Copyable>(
    _ body: (inout HostQueue) throws(HostError) -> Result
  ) throws(HostError) -> Result {
    guard var queue = adminQueue.take() else { throw .missing("admin queue") }
    do throws(HostError) {
      let result = try body(&queue)
      adminQueue = consume queue
      return result
    } catch {
      adminQueue = consume queue
      throw error
    }
  }

  /// Executes an admin command, with `data` as its data buffer where there is one.
  ///
  /// - Returns: the completion, whatever its status.
  public func admin(_ entry: SubmissionQueueEntry, data: HostBuffer? = nil) throws(HostError) -> CompletionQueueEntry {
    try withAdminQueue { (queue) throws(HostError) in
      guard let data else { return try queue.execute(entry) }
      return try queue.execute(entry, data: data)
    }
  }

  /// Gives the completion back.
  ///
  /// - Throws: `failed` where its status is an error.
  @discardableResult
  public func requireSuccess(_ completion: CompletionQueueEntry) throws(HostError) -> CompletionQueueEntry {
    guard completion.status.isSuccess else { throw .failed(completion.status) }
    return completion
  }

  /// Executes a command that returns `byteCount` bytes.
  ///
  /// - Throws: `failed`, and what `admin` throws.
  public func fetch(_ entry: SubmissionQueueEntry, byteCount: Int) throws(HostError) -> [UInt8] {
    let data = try memory.allocate(byteCount)
    let completion = try admin(entry, data: data)
    let bytes = data.bytes
    memory.free(data)
    try requireSuccess(completion)
    return bytes
  }

  /// Identify: the 4096 bytes of a structure.
  public func identify(cns: UInt8, nsid: UInt32 = 0, controller: UInt16 = 0, csi: UInt8 = 0) throws(HostError)
    -> [UInt8]
  {
    try fetch(
      .identify(cns: cns, nsid: nsid, controller: controller, csi: csi), byteCount: IdentifyCNS.dataByteCount)
  }

  /// Identify Controller.
  public func identifyController() throws(HostError) -> IdentifyController {
    let bytes = try identify(cns: IdentifyCNS.controller.rawValue)
    return IdentifyController(decoding: bytes) ?? IdentifyController()
  }

  /// Identify Namespace of one namespace.
  ///
  /// - Throws: `missing` for a block size that the standard does not know, as of an inactive namespace.
  public func namespace(_ nsid: UInt32) throws(HostError) -> HostNamespace {
    let bytes = try identify(cns: IdentifyCNS.namespace.rawValue, nsid: nsid)
    guard let namespace = IdentifyNamespace(decoding: bytes), let blockByteCount = namespace.logicalBlockByteCount
    else { throw .missing("namespace \(nsid)") }
    return HostNamespace(identifier: nsid, blockCount: namespace.size, blockByteCount: blockByteCount)
  }

  /// The active namespaces.
  public func namespaces() throws(HostError) -> [HostNamespace] {
    let bytes = try identify(cns: IdentifyCNS.activeNamespaceList.rawValue)
    return try namespaces(among: NamespaceList(decoding: bytes)?.identifiers ?? [])
  }

  /// Those of some namespaces that are active: one may have gone since somebody saw it in the list.
  public func namespaces(among identifiers: [UInt32]) throws(HostError) -> [HostNamespace] {
    var namespaces: [HostNamespace] = []
    for nsid in identifiers {
      do throws(HostError) { namespaces.append(try namespace(nsid)) } catch {
        guard case .missing = error else { throw error }
      }
    }
    return namespaces
  }

  /// Get Log Page: `byteCount` bytes, a multiple of 4, from `offset` on.
  public func getLogPage(
    _ identifier: LogPageIdentifier, byteCount: Int, offset: UInt64 = 0, nsid: UInt32 = NamespaceIdentifier.all,
    retainsEvent: Bool = false
  ) throws(HostError) -> [UInt8] {
    try fetch(
      .getLogPage(
        identifier.rawValue, byteCount: byteCount, offset: offset, nsid: nsid, retainsEvent: retainsEvent),
      byteCount: byteCount)
  }

  /// Get Features: dword 0 is the value.
  public func getFeature(
    _ identifier: FeatureIdentifier, select: FeatureSelect = .current, nsid: UInt32 = 0, data: HostBuffer? = nil
  ) throws(HostError) -> CompletionQueueEntry {
    try admin(.getFeatures(identifier.rawValue, select: select.rawValue, nsid: nsid), data: data)
  }

  /// Set Features.
  public func setFeature(
    _ identifier: FeatureIdentifier, _ value: UInt32, save: Bool = false, nsid: UInt32 = 0, data: HostBuffer? = nil
  ) throws(HostError) -> CompletionQueueEntry {
    try admin(.setFeatures(identifier.rawValue, value, save: save, nsid: nsid), data: data)
  }

  /// Number of Queues: asks for `count` pairs, 1 to 65,535.
  ///
  /// - Returns: what the controller allocated.
  /// - Throws: `failed`, and what `admin` throws.
  public func setNumberOfQueues(_ count: Int) throws(HostError) -> NumberOfQueuesFeature {
    let wish = NumberOfQueuesFeature(submissionQueueCount: count, completionQueueCount: count)
    let completion = try requireSuccess(setFeature(.numberOfQueues, wish.rawValue))
    return NumberOfQueuesFeature(rawValue: completion.dw0)
  }

  /// The most bytes of a command's data: MDTS of the last `initialize()`; nil for no limit.
  public var maximumTransferByteCount: Int? {
    let exponent = Int(identity.maximumDataTransferSize) + Int(capabilities.memoryPageSizeMinimum)
    guard identity.maximumDataTransferSize > 0, exponent < 48 else { return nil }
    return HostMemory.pageSize << exponent
  }
}
