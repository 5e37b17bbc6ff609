import LinuxIO

/// Where a queue learns its doorbell's value from.
///
/// A doorbell arrives on one path at a time and ends in one word: KVM's store into a slot (POST_WRITE), the control
/// thread's store of a socket message, or the guest's own store into a mapped page; a shadow doorbell buffer (DBBUF) is
/// another word. So there is one way to read it, whatever the path.
///
/// Ways that are not taken, with what `nvmed-bench doorbell` says of those that a stock KVM has:
/// - *Datamatch*: an ioeventfd for each value tells the value by which eventfd is signalled. It needs an eventfd for each
///   entry of each queue (16,384 for 64 queues of 256), where clients take 8 to 16 in one reply; KVM searches all that
///   are registered at the address, which with 256 costs the vCPU half as much again as one. And a server must wait for
///   all of them. An eBPF program costs less and needs one eventfd.
/// - *Coalesced MMIO*: KVM keeps the values in a ring of the VMM and tells nobody: the cheapest write of all for the
///   vCPU, and no doorbell, as the VMM looks into the ring at some later exit. It would suit completion queue heads,
///   which need wake nobody; but the VMM would send each of them on by message.
/// - *ioregionfd* (vfio-user sub-region type 1): KVM sends the access to a socket, with its value, and any vCPU can go
///   on after a write. It was posted for Linux in 2021 and never merged, so no kernel has it; and it costs the server a
///   `read` for each doorbell, where a slot costs a load.
/// - *One eventfd for the whole page, values in place* (a memslot that the guest writes to, with a notification for each
///   write): proposed in the discussion of POST_WRITE, and in no kernel. Without the notification it is the mapped page
///   (`DoorbellMode.poll`); write protection by userfaultfd or the dirty log notifies once, and only until the page is
///   protected again, by a system call that races with the next write.
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
