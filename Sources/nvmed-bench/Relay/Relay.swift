import LinuxIO
import Synchronization

/// Two rings in memory between a thread that asks and one that serves, with an eventfd to wake each.
final class Relay: Sendable {
  private static let entries = 2048

  private let depth: Int
  private let memory: MemoryMapping
  /// Rung by the asking thread.
  private let doorbell: EventFD
  /// Rung by the serving thread.
  private let interrupt: EventFD
  /// Rung by the kernel.
  let finished: EventFD

  /// CPU time that the serving thread has taken in all, in ns; when it has ended.
  let servingTime = Atomic<UInt64>(0)

  init(depth: Int) throws {
    self.depth = depth
    memory = try MemoryMapping(anonymous: 64 * 4 + Relay.entries * 12)
    doorbell = try EventFD()
    interrupt = try EventFD()
    finished = try EventFD()
  }

  private func word(_ offset: Int) -> SharedWord { unsafe SharedWord(at: memory.base + offset) }
  /// Requests asked for so far, modulo 2^32.
  private var asked: SharedWord { word(0) }
  /// Requests answered so far, modulo 2^32.
  private var answered: SharedWord { word(64) }
  /// Not 0 when nothing is asked for any more.
  private var isOver: SharedWord { word(128) }
  private func askedSlot(_ index: UInt32) -> SharedWord { word(256 + Int(index % UInt32(Relay.entries)) * 12) }
  private func askedPlace(_ index: UInt32) -> SharedWord { word(260 + Int(index % UInt32(Relay.entries)) * 12) }
  private func answeredSlot(_ index: UInt32) -> SharedWord { word(264 + Int(index % UInt32(Relay.entries)) * 12) }

  /// The asking thread.
  func ask(_ plan: RelayPlan) -> Load {
    var meter = RelayMeter(plan, depth: depth)
    let epoll = Relay.epoll([interrupt.rawValue])
    var events = EpollEvents()
    var (tail, head): (UInt32, UInt32) = (0, 0)
    for slot in 0..<depth {
      askedSlot(tail).store(UInt32(slot))
      askedPlace(tail).store(meter.begin(slot, at: meter.start))
      tail &+= 1
    }
    asked.store(tail)
    doorbell.signal()
    while true {
      let end = answered.load()
      guard end != head else {
        epoll.wait(timeout: -1, into: &events)
        continue
      }
      let now = Clock.monotonic
      if meter.isOver(now) { break }
      while head != end {
        let slot = answeredSlot(head).load()
        head &+= 1
        meter.end(Int(slot), at: now)
        askedSlot(tail).store(slot)
        askedPlace(tail).store(meter.begin(Int(slot), at: now))
        tail &+= 1
      }
      asked.store(tail)
      doorbell.signal()
    }
    isOver.store(1)
    doorbell.signal()
    return meter.load
  }

  /// The serving thread.
  func serve(_ disk: consuming RelayDisk) {
    var disk = disk
    let epoll = Relay.epoll([doorbell.rawValue, finished.rawValue])
    var events = EpollEvents()
    var (head, tail): (UInt32, UInt32) = (0, 0)
    while isOver.load() == 0 || disk.inFlight > 0 {
      let before = tail
      while let slot = disk.nextCompletion() {
        answeredSlot(tail).store(UInt32(slot))
        tail &+= 1
      }
      if tail != before {
        answered.store(tail)
        interrupt.signal()
      }
      let end = asked.load()
      let first = head
      while head != end {
        disk.prepare(slot: Int(askedSlot(head).load()), place: askedPlace(head).load())
        head &+= 1
      }
      if head != first { disk.submit() }
      if tail == before, head == first { epoll.wait(timeout: -1, into: &events) }
    }
    servingTime.store(Clock.threadCPU, ordering: .releasing)
  }

  /// Requests that were answered, modulo 2^32.
  var requests: UInt32 { answered.load() }

  /// One thread for both parts.
  func serveItself(_ disk: consuming RelayDisk, _ plan: RelayPlan) -> Load {
    var disk = disk
    var meter = RelayMeter(plan, depth: depth)
    let epoll = Relay.epoll([finished.rawValue])
    var events = EpollEvents()
    for slot in 0..<depth { disk.prepare(slot: slot, place: meter.begin(slot, at: meter.start)) }
    disk.submit()
    while disk.inFlight > 0 {
      epoll.wait(timeout: -1, into: &events)
      let now = Clock.monotonic
      let isOver = meter.isOver(now)
      while let slot = disk.nextCompletion() {
        if isOver { continue }
        meter.end(slot, at: now)
        disk.prepare(slot: slot, place: meter.begin(slot, at: now))
      }
      if !isOver { disk.submit() }
    }
    return meter.load
  }

  /// Each signal is an edge; the counters are never read.
  private static func epoll(_ eventfds: [Int32]) -> Epoll {
    do throws(Errno) {
      let epoll = try Epoll()
      for eventfd in eventfds { try epoll.add(eventfd, [.readable, .edge], token: 0) }
      return epoll
    } catch {
      fatalError("epoll: \(error)")
    }
  }
}
