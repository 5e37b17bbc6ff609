import Doorbells
import Glibc
import KVM
import LinuxIO
import VFIOUser

/// One way of a doorbell, with its guest and its server, ready to ring. Thread of the vCPU only.
final class DoorbellRinger {
  /// Times of one go, in ns.
  struct Time {
    let wall: UInt64
    let cpu: UInt64
  }

  /// Where the doorbell is: one of its own, as a tracer cannot tell the guests of a process apart.
  private static let address: UInt64 = 0x6_0000

  private let way: DoorbellCost.Way
  private let count: UInt32
  private var guest: SmallGuest
  private var client: ClientConnection
  private let server: DoorbellListener
  private let tracer: DoorbellTracer?
  private var rung: UInt64 = 0

  /// The value that the guest writes: with `values` datamatches, that of the last.
  private static func value(_ way: DoorbellCost.Way) -> UInt32 {
    if case .datamatch(let values) = way { UInt32(truncatingIfNeeded: values) } else { 1 }
  }

  /// Makes the guest and starts the server.
  ///
  /// - Throws: what KVM and the socket throw; `EINVAL` for a way that needs a tracer without one.
  init(_ way: DoorbellCost.Way, tracer: DoorbellTracer?, _ measurement: DoorbellMeasurement) throws(Errno) {
    let count = measurement.count
    guard tracer != nil || way.tracedProcess == nil else { throw .invalidArgument }
    // The store of the baseline goes to the end of the guest's own page.
    let guest = try SmallGuest(fsBase: way == .memory ? 0x800 : DoorbellRinger.address) { code in
      code.mov(.eax, DoorbellRinger.value(way))
      code.mov(.ecx, count)
      let next = code.here()
      code.mov(.fs(0), .eax)
      code.dec(.ecx)
      code.j(.notEqual, next)
      code.hlt()
    }
    let pair = try UnixSocketPair()
    let client = ClientConnection(try pair.first.duplicate())
    let server = try DoorbellListener(try pair.second.duplicate(), cpu: measurement.serverCPU, source: way.source)
    do throws(Errno) {
      for event in DoorbellRinger.events(way, server) { try guest.machine.assign(event) }
      if way == .coalesced { try guest.machine.coalesceWrites(at: DoorbellRinger.address, count: 4) }
    } catch {
      _ = server.stop(hangUp: client.descriptor)
      throw error
    }
    self.way = way
    self.count = count
    self.guest = guest
    self.server = server
    self.tracer = tracer
    self.client = client
  }

  deinit { _ = server.stop(hangUp: client.descriptor) }

  private static func events(_ way: DoorbellCost.Way, _ server: DoorbellListener) -> [IOEventFD] {
    var event = IOEventFD(address: DoorbellRinger.address, length: 4, event: server.event.rawValue)
    switch way {
    case .ioeventfd, .ioeventfdUnawaited, .ioeventfdBesideTracer, .traced, .tracedUnawaited: return [event]
    case .datamatch(let values):
      return (1...max(values, 1)).map { value in
        event.datamatch = UInt64(value)
        return event
      }
    case .postWrite, .postWriteUnawaited:
      event.postAddress = server.slotAddress
      return [event]
    default: return []
    }
  }

  /// Lets the guest ring `count` times.
  ///
  /// - Throws: what KVM and the socket throw; `ETIMEDOUT` after a kick; `EPROTO` for an exit that must not be.
  func ring(_ kick: VCPUKick) throws(Errno) -> Time {
    try guest.restart()
    // Attached during this go alone: other ways must not pay for it.
    let page = try trace()
    defer { page?.end() }
    try guest.attach(kick)
    defer { kick.detach() }
    let wall = Clock.monotonic
    let cpu = Clock.threadCPU
    var exits: UInt32 = 0
    var coalesced = 0
    loop: while true {
      switch try guest.run() {
      case .halt: break loop
      case .mmioWrite(DoorbellRinger.address, 4, let value):
        exits += 1
        if way == .coalesced { coalesced += guest.takeCoalescedWrites().count }
        try deliver(UInt32(truncatingIfNeeded: value))
      case .interrupted: throw Errno(rawValue: ETIMEDOUT)
      default: throw .protocolError
      }
    }
    let time = Time(wall: Clock.monotonic &- wall, cpu: Clock.threadCPU &- cpu)
    if way == .coalesced {
      coalesced += guest.takeCoalescedWrites().count
      guard Int(exits) + coalesced == Int(count) else { throw .protocolError }
    } else {
      guard exits == (way.exits ? count : 0) else { throw .protocolError }
    }
    // The page is new: every store of this go was counted, and none of another VM's.
    if let page, page.stores(at: 0) != (way.isTraced ? count : 0) { throw .protocolError }
    rung += UInt64(count)
    return time
  }

  /// Has the eBPF program attached for this guest or another, as the way wants it.
  private func trace() throws(Errno) -> TracedPage? {
    guard let tracer, let process = way.tracedProcess else { return nil }
    let page: TracedPage
    do throws(DoorbellTracerError) { page = try tracer.makePage(process: process) } catch { throw .notPermitted }
    // The guest's doorbell is the first: the tail of the admin queue.
    try page.place(bar0: DoorbellRinger.address - 0x1000)
    return page
  }

  private func deliver(_ value: UInt32) throws(Errno) {
    switch way {
    case .messageWithReply: try client.regionWrite(.bar0, offset: 0x1000, RegionData(UInt64(value), count: 4))
    case .postedMessage:
      try client.regionWrite(.bar0, offset: 0x1000, RegionData(UInt64(value), count: 4), posted: true)
    case .softwarePost:
      server.slot.store(value)
      server.event.signal()
    default: break
    }
  }

  /// Stops the server.
  ///
  /// - Throws: `EPROTO` where it did not hear of every doorbell.
  func end() throws(Errno) {
    let heard = server.stop(hangUp: client.descriptor)
    guard heard == (way.reachesServer ? rung : 0) else { throw .protocolError }
  }
}

extension DoorbellCost.Way {
  /// Whether the doorbell wakes the VMM.
  var exits: Bool {
    switch self {
    case .exit, .exitBesideTracer, .messageWithReply, .postedMessage, .softwarePost: true
    default: false
    }
  }

  /// What the server waits for.
  var source: DoorbellListener.Source {
    switch self {
    case .messageWithReply, .postedMessage: .messages
    case .ioeventfdUnawaited, .postWriteUnawaited, .tracedUnawaited: .nothing
    default: .event
    }
  }

  /// Whether the server hears of it.
  var reachesServer: Bool { self != .memory && self != .exit && self != .exitBesideTracer && self != .coalesced }

  /// Whether the program stores the guest's own doorbell.
  var isTraced: Bool { self == .traced || self == .tracedUnawaited }

  /// The process whose doorbells are traced meanwhile: this one, or one that has no VM; nil: the program is not attached.
  var tracedProcess: pid_t? {
    switch self {
    case .traced, .tracedUnawaited: getpid()
    case .exitBesideTracer, .ioeventfdBesideTracer: 1
    default: nil
    }
  }
}
