/// Sizes that both halves of the protocol keep to.
public enum Limits {
  /// Most bytes of data of one region access or piece of migration data: our `max_data_xfer_size`, 1 MiB.
  public static let dataTransfer = 1 << 20
  /// Most bytes of a message: a data transfer with its header and the largest fixed struct before it.
  public static let message = dataTransfer + MessageHeader.size + 64
  /// Most bytes of the payload of a VERSION message.
  public static let versionPayload = 4096
  /// Most file descriptors of one received message. cloud-hypervisor sends 16 whatever was negotiated.
  public static let descriptors = 64
  /// Most ranges of memory that a client may have mapped at a time: our `max_dma_maps`. A guest with a virtual IOMMU has
  /// one for each page in flight, some thousands; all clients together share the mappings that the kernel gives a process.
  public static let dmaMaps = 16_384
  /// Most bytes of replies that wait for a client to read them: four of the largest. Who does not read is sent away.
  public static let queuedReplyBytes = 4 << 20
  /// Most descriptors that wait with them; each is open twice meanwhile.
  public static let queuedReplyDescriptors = 256
}
