import Doorbells
import Glibc
import KVM
import LinuxIO
import VFIOUser

/// One way of a doorbell and back, with its guest and its server, for one go. Thread of the vCPU only.
struct RoundTripRig: ~Copyable {
  /// Where the doorbell is: apart from those of other measurements, as a tracer cannot tell the guests of a process
  /// apart.
  private static let address: UInt64 = 0x7_0000
  /// Where the server answers, in the guest's memory.
  private static let answer: UInt16 = 0x400
  /// The vector of the interrupt.
  private static let vector: UInt8 = 0x31
  private static let gsi: UInt32 = 24

  private let way: DoorbellRoundTrip.Way
  private let machine: VirtualMachine
  private var vcpu: VirtualCPU
  private let memory: SharedMemory
  private let slotMemory: SharedMemory
  private let slot: SharedWord
  /// The slot of a tracer, and what holds its mapping.
  private let traced: (slots: DoorbellSlots, page: TracedPage)?
  private var client: ClientConnection
  private let server: RoundTripServer

  init(
    _ way: DoorbellRoundTrip.Way, _ waiting: DoorbellRoundTrip.Waiting, tracer: DoorbellTracer?,
    _ measurement: DoorbellMeasurement
  ) throws(Errno) {
    let program: GuestProgram
    do throws(Assembler.Failure) { program = try RoundTripRig.program(waiting, measurement.count) } catch {
      throw .invalidArgument
    }
    let memory = try SharedMemory(name: "round-trip", count: GuestProgram.memorySize)
    for segment in program.segments {
      unsafe (memory.mapping.base + Int(segment.address)).copyMemory(
        from: segment.bytes, byteCount: segment.bytes.count)
    }
    let machine = try VirtualMachine(try KVMSystem())
    try machine.createInterruptController()
    try machine.setMemory(memory.mapping)
    if case .halting(let time) = waiting { try machine.setHaltPolling(nanoseconds: time) }
    let vcpu = try machine.makeVCPU()
    try vcpu.enterRealMode(
      VirtualCPU.RealModeEntry(
        instructionPointer: program.entry, stackPointer: GuestProgram.stackAddress, fsBase: RoundTripRig.address,
        gsBase: LocalAPIC.baseAddress))
    let slotMemory = try SharedMemory(name: "doorbell", count: 4096)
    let traced = try RoundTripRig.trace(way, tracer)
    let slot = traced?.slots.submissionQueueTail(0) ?? (unsafe SharedWord(at: slotMemory.mapping.base))
    let pair = try UnixSocketPair()
    let client = ClientConnection(try pair.first.duplicate())
    let server = try RoundTripServer(
      try pair.second.duplicate(), slot: slot,
      answer: unsafe SharedWord(at: memory.mapping.base + Int(RoundTripRig.answer)), cpu: measurement.serverCPU,
      source: way.source)
    do throws(Errno) {
      try machine.setRoutes([MSIRoute(gsi: RoundTripRig.gsi, vector: RoundTripRig.vector)])
      if case .halting = waiting { try machine.assign(server.interrupt, gsi: RoundTripRig.gsi) }
      switch way {
      case .traced, .tracedPolled:
        try machine.assign(IOEventFD(address: RoundTripRig.address, length: 4, event: server.event.rawValue))
      case .postWrite, .postWritePolled:
        try machine.assign(
          IOEventFD(
            address: RoundTripRig.address, length: 4, event: server.event.rawValue,
            postAddress: UInt64(UInt(bitPattern: unsafe slotMemory.mapping.base))))
      case .mappedPage: try machine.setMemory(slot: 1, at: RoundTripRig.address, slotMemory.mapping)
      default: break
      }
    } catch {
      server.stop(hangUp: client.descriptor)
      traced?.page.end()
      throw error
    }
    self.way = way
    self.machine = machine
    self.vcpu = vcpu
    self.memory = memory
    self.slotMemory = slotMemory
    self.slot = slot
    self.traced = traced
    self.client = client
    self.server = server
  }

  deinit {
    server.stop(hangUp: client.descriptor)
    traced?.page.end()
  }

  private static func trace(
    _ way: DoorbellRoundTrip.Way, _ tracer: DoorbellTracer?
  ) throws(Errno) -> (slots: DoorbellSlots, page: TracedPage)? {
    guard way == .traced || way == .tracedPolled else { return nil }
    guard let tracer else { throw .invalidArgument }
    let page: TracedPage
    do throws(DoorbellTracerError) { page = try tracer.makePage(process: getpid()) } catch { throw .notPermitted }
    // The doorbell is the first: the tail of the admin queue.
    try page.place(bar0: RoundTripRig.address - 0x1000)
    let slots = try DoorbellSlots()
    slots.trace(page)
    return (slots, page)
  }

  /// EAX is the value of the doorbell, ECX counts down.
  private static func program(
    _ waiting: DoorbellRoundTrip.Waiting, _ count: UInt32
  ) throws(Assembler.Failure) -> GuestProgram {
    var code = Assembler(origin: GuestProgram.codeAddress)
    code.mov(.gs(LocalAPIC.spuriousVector), LocalAPIC.enabled)
    code.mov(.eax, 0)
    code.mov(.ecx, count)
    let next = code.here()
    let answered = code.label()
    code.inc(.eax)
    code.mov(.fs(0), .eax)
    let wait = code.here()
    if waiting == .spinning {
      code.cmp(.eax, .at(answer))
      code.j(.notEqual, wait)
    } else {
      // An interrupt between the look and HLT must not be lost: STI takes effect after the instruction behind it.
      code.cli()
      code.cmp(.eax, .at(answer))
      code.j(.equal, answered)
      code.sti()
      code.hlt()
      code.jmp(wait)
    }
    code.place(answered)
    code.dec(.ecx)
    code.j(.notEqual, next)
    code.out(GuestProgram.reportPort)
    code.cli()
    code.hlt()
    let handler = code.here()
    code.mov(.gs(LocalAPIC.endOfInterrupt), 0)
    code.iret()
    return GuestProgram(
      segments: [
        GuestProgram.Segment(address: code.origin, bytes: try code.assemble()),
        GuestProgram.interrupt(vector, handler: try code.address(of: handler)),
      ], entry: code.origin)
  }

  /// Runs the guest to its end, once.
  ///
  /// - Returns: ns of wall time.
  /// - Throws: what KVM and the socket throw; `ETIMEDOUT` after a kick; `EPROTO` for an exit that must not be.
  mutating func run(_ kick: VCPUKick) throws(Errno) -> UInt64 {
    try kick.attach(vcpu)
    defer { kick.detach() }
    let start = Clock.monotonic
    while true {
      switch try vcpu.run() {
      case .portWrite: return Clock.monotonic &- start
      case .mmioWrite(RoundTripRig.address, 4, let value): try deliver(UInt32(truncatingIfNeeded: value))
      case .interrupted: throw Errno(rawValue: ETIMEDOUT)
      default: throw .protocolError
      }
    }
  }

  private mutating func deliver(_ value: UInt32) throws(Errno) {
    switch way {
    case .messageWithReply, .postedMessage:
      try client.regionWrite(
        .bar0, offset: 0x1000, RegionData(UInt64(value), count: 4), posted: way == .postedMessage)
    case .softwarePost:
      slot.store(value)
      server.event.signal()
    default: throw .protocolError
    }
  }
}

extension DoorbellRoundTrip.Way {
  /// How the server awaits it.
  var source: RoundTripServer.Source {
    switch self {
    case .messageWithReply, .postedMessage: .messages
    case .softwarePost, .traced, .postWrite: .event
    case .tracedPolled, .postWritePolled, .mappedPage: .polling
    }
  }
}
