import CLinux
import LinuxIO
import NVMeSpec

/// Scatter Gather Lists: NVMe base specification 2.0, section 4.1.2.
///
/// Supported: data block (any alignment), bit bucket, segment, last segment, with offset addresses only.
public enum SGLWalk {
  /// The most descriptors of one command, those of length 0 included: a hostile chain may have no end.
  static let descriptorLimit = 2048
  /// The most segments of one command.
  static let segmentLimit = 64

  /// Translates the SGL of a command into host ranges.
  ///
  /// - Parameters:
  ///   - first: the descriptor in the command (SGL1).
  ///   - length: bytes to transfer, already checked against MDTS.
  ///   - access: `.write` for a transfer to the guest, `.read` for one from it.
  ///   - memory: where its mappings are looked up.
  ///   - bitBucket: scratch memory of at least `length` bytes that discarded data goes to.
  ///   - segments: gets the host ranges.
  /// - Returns: success or the status that section 4.1.2 names.
  @inlinable @inline(__always)
  public static func translate(
    _ first: SGLDescriptor, length: UInt64, access: MemoryRegion.Access, memory: inout MemoryMap,
    bitBucket: UnsafeMutableRawPointer, into segments: inout SegmentList
  ) -> Status {
    // The usual case: one data block in one range.
    if first.word1 == length, length > 0,
      let address = unsafe memory.contiguous(first.address, length: length, access: access),
      unsafe segments.append(address, length)
    {
      return .success
    }
    return unsafe walk(
      first, length: length, access: access, memory: &memory, bitBucket: bitBucket, into: &segments)
  }

  @inline(never)
  @usableFromInline static func walk(
    _ first: SGLDescriptor, length: UInt64, access: MemoryRegion.Access, memory: inout MemoryMap,
    bitBucket: UnsafeMutableRawPointer, into segments: inout SegmentList
  ) -> Status {
    var state = unsafe Walk(rest: length, access: access, bitBucket: bitBucket)
    guard let kind = first.type else { return .sglDescriptorTypeInvalid }
    switch kind {
    case .dataBlock, .bitBucket:
      let status = state.data(first, kind, &memory, &segments)
      if status != .success { return status }
    case .segment, .lastSegment:
      if first.subtype != 0 { return .sglDescriptorTypeInvalid }
      let status = state.segments(first, &memory, &segments)
      if status != .success { return status }
    default:
      return .sglDescriptorTypeInvalid
    }
    return state.rest == 0 ? .success : .dataSGLLengthInvalid
  }

  @safe private struct Walk {
    var rest: UInt64
    let access: MemoryRegion.Access
    let bitBucket: UnsafeMutableRawPointer
    var descriptors = 0

    init(rest: UInt64, access: MemoryRegion.Access, bitBucket: UnsafeMutableRawPointer) {
      self.rest = rest
      self.access = access
      unsafe self.bitBucket = unsafe bitBucket
    }

    /// A data block or bit bucket.
    mutating func data(
      _ descriptor: SGLDescriptor, _ kind: SGLDescriptorType, _ memory: inout MemoryMap, _ list: inout SegmentList
    ) -> Status {
      if descriptor.subtype != 0 { return .sglDescriptorTypeInvalid }
      var length = UInt64(descriptor.length)
      if kind == .bitBucket {
        // A bit bucket takes data on its way to the host only; in the other direction its length counts as 0.
        guard access.contains(.write), length > 0 else { return .success }
        guard length <= rest else { return .dataSGLLengthInvalid }
        guard unsafe list.append(bitBucket, length) else { return .invalidNumberOfSGLDescriptors }
        rest -= length
        return .success
      }
      guard length <= rest else { return .dataSGLLengthInvalid }
      var address = descriptor.address
      while length > 0 {
        guard let (host, reach) = unsafe memory.translate(address, length: length, access: access) else {
          return .dataTransferError
        }
        guard unsafe list.append(host, reach) else { return .invalidNumberOfSGLDescriptors }
        rest -= reach
        length -= reach
        if length > 0 {
          let (next, overflow) = address.addingReportingOverflow(reach)
          guard !overflow else { return .dataTransferError }
          address = next
        }
      }
      return .success
    }

    /// A copy of the descriptor at an address; nil where part of it is not mapped for reading.
    private static func descriptor(at address: UInt64, memory: inout MemoryMap) -> SGLDescriptor? {
      if address & 7 == 0, let host = unsafe memory.contiguous(address, length: 16, access: .read) {
        return unsafe SGLDescriptor(GuestWord.load(host), GuestWord.load(host, byteOffset: 8))
      }
      // Anywhere else, it may lie in two mappings.
      var words: (UInt64, UInt64) = (0, 0)
      let isCopied = unsafe withUnsafeMutableBytes(of: &words) { unsafe memory.read(address, into: $0) }
      return isCopied ? SGLDescriptor(words.0, words.1) : nil
    }

    /// A chain of segments, each descriptor copied once.
    mutating func segments(
      _ first: SGLDescriptor, _ memory: inout MemoryMap, _ list: inout SegmentList
    ) -> Status {
      var segment = first
      for _ in 0..<SGLWalk.segmentLimit {
        let isLast = segment.type == .lastSegment
        guard segment.length > 0, segment.length % 16 == 0 else { return .invalidSGLSegmentDescriptor }
        let count = Int(segment.length / 16)
        descriptors += count
        guard descriptors <= SGLWalk.descriptorLimit else { return .invalidNumberOfSGLDescriptors }
        for index in 0..<count {
          let (address, overflow) = segment.address.addingReportingOverflow(UInt64(index) * 16)
          guard !overflow, let descriptor = Walk.descriptor(at: address, memory: &memory) else {
            return .dataTransferError
          }
          guard let kind = descriptor.type else { return .sglDescriptorTypeInvalid }
          let atEnd = index == count - 1
          switch kind {
          case .dataBlock, .bitBucket:
            // A segment that is not the last ends in a pointer to the next.
            if atEnd, !isLast { return .invalidSGLSegmentDescriptor }
            let status = data(descriptor, kind, &memory, &list)
            if status != .success { return status }
          case .segment, .lastSegment:
            if !atEnd || isLast { return .invalidSGLSegmentDescriptor }
            if descriptor.subtype != 0 { return .sglDescriptorTypeInvalid }
            segment = descriptor
          default:
            return .sglDescriptorTypeInvalid
          }
        }
        if isLast { return .success }
      }
      return .invalidNumberOfSGLDescriptors
    }
  }
}
