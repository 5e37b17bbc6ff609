import Storage

/// A namespace of a controller: a backend and the identity that the guest sees.
public final class Namespace: Sendable {
  /// What it is made of.
  public let backend: BlockBackend
  /// log2 of the LBA size: 9 (512 bytes) or 12 (4,096 bytes).
  public let blockShift: UInt8
  /// Size in logical blocks (NSZE); a rest of the backend that is no whole block is not used.
  public let blockCount: UInt64
  /// Namespace Globally Unique Identifier.
  public let nguid: [UInt8]
  /// Universally Unique Identifier.
  public let uuid: [UInt8]
  /// IEEE Extended Unique Identifier, or 8 zeros where there is none.
  public let eui64: [UInt8]
  /// Whether Dataset Management and Write Zeroes with DEAC give blocks back to the file system.
  public let discards: Bool

  /// A namespace on a backend.
  ///
  /// - Parameters:
  ///   - backend: where its blocks are.
  ///   - nguid: 16 bytes.
  ///   - uuid: 16 bytes.
  ///   - eui64: 8 bytes.
  ///   - discards: whether deallocated blocks are given back.
  public init(
    backend: BlockBackend, nguid: [UInt8], uuid: [UInt8], eui64: [UInt8], discards: Bool
  ) {
    self.backend = backend
    blockShift = UInt8(backend.logicalBlockSize.shift)
    blockCount = backend.blockCount
    self.nguid = nguid
    self.uuid = uuid
    self.eui64 = eui64
    self.discards = discards
  }

  /// Whether a flush has failed, after which nothing that the volatile cache held can be called durable.
  public var writeCacheFailed: Bool { backend.image?.writeCacheFailed ?? false }
}
