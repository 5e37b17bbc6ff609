import CLinux
import GuestMemory

/// The segment array of admin commands: one transfer at a time, on the control thread.
@safe struct AdminSegments: ~Copyable {
  private let base: UnsafeMutablePointer<iovec>
  private let capacity: Int

  init(maximumTransfer: Int) {
    capacity = maximumTransfer / 4096 + 2
    unsafe base = .allocate(capacity: capacity)
  }

  deinit { unsafe base.deallocate() }

  /// An empty list in the array.
  var empty: SegmentList { unsafe SegmentList(base, capacity: capacity) }

  /// Copies `bytes` to the ranges of a list made here.
  func copyToGuest(_ bytes: [UInt8], _ list: SegmentList) {
    unsafe bytes.withUnsafeBytes { buffer in
      var done = 0
      for index in 0..<list.count {
        let segment = unsafe base[index]
        let count = unsafe min(Int(segment.iov_len), buffer.count - done)
        guard count > 0, let source = buffer.baseAddress, let target = unsafe segment.iov_base else { return }
        unsafe clinux_copy_shared(target, source + done, count)
        done += count
      }
    }
  }

  /// A private copy of what the ranges of a list made here hold.
  func copyFromGuest(_ list: SegmentList) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: Int(list.byteCount)) { buffer, count in
      for index in 0..<list.count {
        let segment = unsafe base[index]
        guard let target = buffer.baseAddress, let source = unsafe segment.iov_base else { return }
        unsafe clinux_copy_shared(target + count, source, segment.iov_len)
        count += unsafe Int(segment.iov_len)
      }
    }
  }
}
