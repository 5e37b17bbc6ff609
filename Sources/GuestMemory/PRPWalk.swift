import CLinux
import LinuxIO
import NVMeSpec

/// Physical Region Pages: NVMe base specification 2.0, section 4.1.1.
///
/// The controller's memory page size is 4 KiB (CAP.MPSMIN = CAP.MPSMAX = 0).
public enum PRPWalk {
  /// CC.MPS 0: 4 KiB.
  @inlinable public static var pageSize: UInt64 { 4096 }

  /// Translates PRP1 and PRP2 of a command into host ranges.
  ///
  /// - Parameters:
  ///   - prp1: PRP Entry 1.
  ///   - prp2: PRP Entry 2: a page, or the first page of a list.
  ///   - length: bytes to transfer, already checked against MDTS, which bounds the walk.
  ///   - access: `.write` for a transfer to the guest, `.read` for one from it.
  ///   - memory: where its mappings are looked up.
  ///   - segments: gets the host ranges.
  /// - Returns: success; Invalid PRP Offset, or Data Transfer Error for memory that is not mapped.
  @inlinable @inline(__always)
  public static func translate(
    prp1: UInt64, prp2: UInt64, length: UInt64, access: MemoryRegion.Access, memory: inout MemoryMap,
    into segments: inout SegmentList
  ) -> Status {
    if length == 0 { return .success }
    // The low two bits of an offset are reserved as zero: data is dword aligned.
    if prp1 & 3 != 0 { return .invalidPRPOffset }
    let first = min(length, pageSize &- (prp1 & (pageSize &- 1)))
    guard let address = unsafe memory.contiguous(prp1, length: first, access: access) else {
      return .dataTransferError
    }
    guard unsafe segments.append(address, first) else { return .internalError }
    let rest = length &- first
    if rest == 0 { return .success }
    if rest <= pageSize {
      if prp2 & (pageSize &- 1) != 0 { return .invalidPRPOffset }
      guard let address = unsafe memory.contiguous(prp2, length: rest, access: access) else {
        return .dataTransferError
      }
      guard unsafe segments.append(address, rest) else { return .internalError }
      return .success
    }
    let (all, status) = list(prp2, rest: rest, access: access, memory: &memory, after: segments)
    segments = all
    return status
  }

  /// Walks the PRP list at `pointer`. Each entry is read once, into a local.
  ///
  /// The segments go by value: for who has no list, they have no address and stay in registers.
  @inline(never)
  @usableFromInline static func list(
    _ pointer: UInt64, rest: UInt64, access: MemoryRegion.Access, memory: inout MemoryMap,
    after segments: SegmentList
  ) -> (SegmentList, Status) {
    var segments = segments
    let status = walk(pointer, rest: rest, access: access, memory: &memory, into: &segments)
    return (segments, status)
  }

  @inline(__always)
  private static func walk(
    _ pointer: UInt64, rest: UInt64, access: MemoryRegion.Access, memory: inout MemoryMap,
    into segments: inout SegmentList
  ) -> Status {
    if pointer & 7 != 0 { return .invalidPRPOffset }
    var pointer = pointer
    var rest = rest
    while rest > 0 {
      var entries = (pageSize &- (pointer & (pageSize &- 1))) / 8
      let needed = (rest &+ pageSize &- 1) / pageSize
      // The last slot of a page is a data pointer only where no further page is needed.
      let chained = needed > entries
      if chained { entries &-= 1 } else { entries = needed }
      let count = chained ? entries &+ 1 : entries
      guard let list = unsafe memory.contiguous(pointer, length: count &* 8, access: .read) else {
        return .dataTransferError
      }
      for index in 0..<Int(entries) {
        let entry = unsafe GuestWord.load(list, byteOffset: index &* 8)
        if entry & (pageSize &- 1) != 0 { return .invalidPRPOffset }
        let length = min(rest, pageSize)
        guard let address = unsafe memory.contiguous(entry, length: length, access: access) else {
          return .dataTransferError
        }
        guard unsafe segments.append(address, length) else { return .internalError }
        rest &-= length
      }
      if chained {
        pointer = unsafe GuestWord.load(list, byteOffset: Int(entries) &* 8)
        // Only the first list may begin inside a page.
        if pointer & (pageSize &- 1) != 0 { return .invalidPRPOffset }
      }
    }
    return .success
  }
}
