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
}
