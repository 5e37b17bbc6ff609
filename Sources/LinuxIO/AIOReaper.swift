import CLinux
import Glibc

/// The reading end of a context's completions.
///
/// `io_setup(2)` maps the ring of completions into the process (`struct aio_ring` of the kernel's `fs/aio.c`): the
/// kernel writes events and moves the tail, the reader moves the head. Reading it costs no system call. The layout is
/// no promised interface, so the header is verified first, and `io_getevents(2)` is used where it is another.
@safe @usableFromInline
struct AIOReaper: ~Copyable {
  /// Events fetched by one `io_getevents(2)`.
  static let fetchCount = 64

  @usableFromInline let context: io_context_t
  @usableFromInline let readsRing: Bool
  /// `aio_ring.head`, `aio_ring.tail`, and the events behind the header; nil unless the ring is read.
  @usableFromInline let headWord: SharedWord?
  @usableFromInline let tailWord: SharedWord?
  @usableFromInline let events: UnsafePointer<io_event>?
  /// `aio_ring.nr`: more than was asked for at setup.
  @usableFromInline let size: UInt32
  /// The next event to read. The kernel's copy of it, `aio_ring.head`, is never read back.
  @usableFromInline var head: UInt32 = 0
  @usableFromInline var publishedHead: UInt32 = 0
  @usableFromInline var tail: UInt32 = 0
  /// What `io_getevents(2)` fetched and nobody has taken yet; empty where the ring is read.
  @usableFromInline var fetched: FixedTable<io_event>
  @usableFromInline var fetchedNext = 0
  @usableFromInline var fetchedEnd = 0

  init(context: io_context_t, reaping: AIOContext.Reaping) {
    unsafe self.context = context
    let base = unsafe UnsafeMutableRawPointer(context)
    let header = unsafe base.loadUnaligned(as: clinux_aio_ring.self)
    let head = unsafe SharedWord(at: base + Int(CLINUX_AIO_RING_HEAD))
    let tail = unsafe SharedWord(at: base + Int(CLINUX_AIO_RING_TAIL))
    if reaping == .automatic, AIOReaper.isKnown(header), head.load() < header.nr, tail.load() < header.nr {
      readsRing = true
      headWord = head
      tailWord = tail
      unsafe events = UnsafePointer(
        (base + Int(header.header_length)).assumingMemoryBound(to: io_event.self))
      size = header.nr
      self.head = head.load()
      publishedHead = self.head
      self.tail = self.head
    } else {
      readsRing = false
      headWord = nil
      tailWord = nil
      unsafe events = nil
      size = 0
    }
    unsafe fetched = FixedTable(count: readsRing ? 0 : AIOReaper.fetchCount) { _ in unsafe io_event() }
  }

  /// Whether the ring's layout is the one this file reads.
  static func isKnown(_ header: clinux_aio_ring) -> Bool {
    header.magic == UInt32(CLINUX_AIO_RING_MAGIC)
      && header.incompat_features == UInt32(CLINUX_AIO_RING_INCOMPAT_FEATURES)
      && header.header_length == UInt32(MemoryLayout<clinux_aio_ring>.size) && header.nr > 0
  }

  /// The next event, or nil where none has come.
  @inlinable @inline(__always)
  mutating func next() -> io_event? {
    guard let events = unsafe events else { return unsafe fetchNext() }
    if head == tail, !look() { return nil }
    let event = unsafe events[Int(head)]
    head = head &+ 1 == size ? 0 : head &+ 1
    return unsafe event
  }

  /// Looks for events behind those that were read.
  @usableFromInline
  mutating func look() -> Bool {
    publishHead()
    guard let seen = tailWord?.load(), seen != head, seen < size else { return false }
    tail = seen
    return true
  }

  /// Gives the events that were read back to the kernel: once for all of them, as the store is seen by other CPUs.
  @inlinable @inline(__always)
  mutating func publishHead() {
    guard head != publishedHead, let headWord else { return }
    headWord.store(head)
    publishedHead = head
  }

  @usableFromInline
  mutating func fetchNext() -> io_event? {
    if fetchedNext == fetchedEnd {
      var immediately = timespec(tv_sec: 0, tv_nsec: 0)
      let count = unsafe io_getevents(context, 0, AIOReaper.fetchCount, fetched.base, &immediately)
      guard count > 0 else { return nil }
      fetchedNext = 0
      fetchedEnd = min(Int(count), AIOReaper.fetchCount)
    }
    let event = unsafe fetched[fetchedNext]
    fetchedNext += 1
    return unsafe event
  }
}
