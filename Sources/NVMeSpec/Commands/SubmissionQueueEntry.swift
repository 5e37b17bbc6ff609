#if _endian(big)
  #error("The queue entries are copied as they lie in guest memory, which is little-endian.")
#endif

/// A command as the host writes it into a submission queue: 64 bytes, in the wire's own layout (NVMe base 2.0,
/// 3.3.3.1).
///
/// The stored properties are in wire order and leave no padding, so an entry is copied out of guest memory as it is.
@frozen public struct SubmissionQueueEntry: Sendable, Equatable {
  /// The size of an entry in bytes.
  @inlinable public static var byteCount: Int { 64 }

  /// Opcode, fused operation, PSDT and command identifier.
  public var cdw0: UInt32
  /// NSID: the namespace the command is for; FFFFFFFFh stands for all.
  public var namespaceIdentifier: UInt32
  /// Command dword 2; command specific.
  public var cdw2: UInt32
  /// Command dword 3; command specific.
  public var cdw3: UInt32
  /// MPTR: where separate metadata lies.
  public var metadataPointer: UInt64
  /// DPTR, first half: PRP entry 1, or the address of SGL descriptor 1.
  public var dataPointer0: UInt64
  /// DPTR, second half: PRP entry 2, or the rest of SGL descriptor 1.
  public var dataPointer1: UInt64
  /// Command dword 10; command specific.
  public var cdw10: UInt32
  /// Command dword 11; command specific.
  public var cdw11: UInt32
  /// Command dword 12; command specific.
  public var cdw12: UInt32
  /// Command dword 13; command specific.
  public var cdw13: UInt32
  /// Command dword 14; command specific.
  public var cdw14: UInt32
  /// Command dword 15; command specific.
  public var cdw15: UInt32

  /// Makes an entry; what is not given is zero.
  @inlinable public init(
    cdw0: UInt32 = 0, namespaceIdentifier: UInt32 = 0, cdw2: UInt32 = 0, cdw3: UInt32 = 0, metadataPointer: UInt64 = 0,
    dataPointer0: UInt64 = 0, dataPointer1: UInt64 = 0, cdw10: UInt32 = 0, cdw11: UInt32 = 0, cdw12: UInt32 = 0,
    cdw13: UInt32 = 0, cdw14: UInt32 = 0, cdw15: UInt32 = 0
  ) {
    self.cdw0 = cdw0
    self.namespaceIdentifier = namespaceIdentifier
    self.cdw2 = cdw2
    self.cdw3 = cdw3
    self.metadataPointer = metadataPointer
    self.dataPointer0 = dataPointer0
    self.dataPointer1 = dataPointer1
    self.cdw10 = cdw10
    self.cdw11 = cdw11
    self.cdw12 = cdw12
    self.cdw13 = cdw13
    self.cdw14 = cdw14
    self.cdw15 = cdw15
  }

  /// OPC: the operation, an ``AdminOpcode`` or an ``NVMOpcode`` by the queue it came from.
  @inlinable public var opcode: UInt8 {
    get { UInt8(truncatingIfNeeded: cdw0) }
    set { cdw0.setField(at: 0, width: 8, to: UInt32(newValue)) }
  }

  /// FUSE: 0 for a command alone, 1 for the first and 2 for the second of a fused pair.
  @inlinable public var fused: UInt8 {
    get { UInt8(truncatingIfNeeded: cdw0.field(at: 8, width: 2)) }
    set { cdw0.setField(at: 8, width: 2, to: UInt32(newValue)) }
  }

  /// PSDT: 0 for PRPs, 1 for SGLs with a contiguous metadata buffer, 2 for SGLs with a metadata SGL segment.
  @inlinable public var dataTransferType: UInt8 {
    get { UInt8(truncatingIfNeeded: cdw0.field(at: 14, width: 2)) }
    set { cdw0.setField(at: 14, width: 2, to: UInt32(newValue)) }
  }

  /// CID: the host's name for the command, which its completion carries.
  @inlinable public var commandIdentifier: UInt16 {
    get { UInt16(truncatingIfNeeded: cdw0 &>> 16) }
    set { cdw0.setField(at: 16, width: 16, to: UInt32(newValue)) }
  }

  /// PRP entry 1; another name of ``dataPointer0``.
  @inlinable public var prp1: UInt64 {
    get { dataPointer0 }
    set { dataPointer0 = newValue }
  }

  /// PRP entry 2; another name of ``dataPointer1``.
  @inlinable public var prp2: UInt64 {
    get { dataPointer1 }
    set { dataPointer1 = newValue }
  }

  /// SGL descriptor 1, in place of the two PRP entries.
  @inlinable public var sgl: SGLDescriptor {
    get { SGLDescriptor(dataPointer0, dataPointer1) }
    set {
      dataPointer0 = newValue.address
      dataPointer1 = newValue.word1
    }
  }
}

/// Namespace identifiers with a meaning of their own (NVMe base 2.0, 3.2.1).
public enum NamespaceIdentifier {
  /// FFFFFFFFh: every namespace, where a command allows it.
  @inlinable public static var all: UInt32 { 0xFFFF_FFFF }
}
