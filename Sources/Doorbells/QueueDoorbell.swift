import LinuxIO

/// Where a queue learns its doorbell's value from.
///
/// A doorbell arrives on one path at a time and ends in one word: KVM's store into a slot (POST_WRITE), the control
/// thread's store of a socket message, or the guest's own store into a mapped page; a shadow doorbell buffer (DBBUF) is
/// another word. So there is one way to read it, whatever the path.
@frozen public struct QueueDoorbell: Sendable {
  @usableFromInline let word: SharedWord

  /// A doorbell whose value lies in `word`.
  @inlinable public init(_ word: SharedWord) { self.word = word }

  /// The last value written: the low 16 bits of the register (NVMe over PCIe transport 1.0, section 3.1.2); untrusted.
  ///
  /// After the eventfd that announces the write was read, never before: KVM stores first and signals then.
  @inlinable @inline(__always)
  public func load() -> UInt32 { word.load() & 0xffff }

  /// Forgets the value: before the queue it belongs to becomes live.
  public func clear() { word.store(0) }
}
