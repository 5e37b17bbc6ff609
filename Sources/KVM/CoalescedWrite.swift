import CLinux

/// A write of the guest that KVM has kept for the VMM instead of leaving the guest for it.
///
/// Source: Linux, `struct kvm_coalesced_mmio_ring`; Documentation/virt/kvm/api.rst, 4.116.
public struct CoalescedWrite: Equatable, Sendable {
  /// Guest-physical address.
  public let address: UInt64
  /// The value; bytes beyond those that were written are 0.
  public let value: UInt64

  /// Bytes of the ring's indexes, and of an entry.
  private static let headerSize = 8
  private static let entrySize = 24
  /// Entries of the ring: what fits in its page. One is always free.
  private static let capacity = UInt32((4096 - headerSize) / entrySize)

  /// Empties a ring. KVM adds to it on the vCPU's thread only.
  static func take(_ ring: UnsafeMutableRawPointer) -> [CoalescedWrite] {
    var first = unsafe ring.load(as: UInt32.self)
    let last = unsafe ring.load(fromByteOffset: 4, as: UInt32.self)
    var writes: [CoalescedWrite] = []
    while first != last, first < capacity, last < capacity {
      let entry = unsafe ring + headerSize + Int(first) * entrySize
      let count = min(unsafe entry.load(fromByteOffset: 8, as: UInt32.self), 8)
      let value = unsafe entry.load(fromByteOffset: 16, as: UInt64.self)
      let mask = count == 8 ? UInt64.max : (1 << (8 * UInt64(count))) &- 1
      writes.append(CoalescedWrite(address: unsafe entry.load(as: UInt64.self), value: value & mask))
      first = (first + 1) % capacity
    }
    unsafe ring.storeBytes(of: first, as: UInt32.self)
    return writes
  }
}
