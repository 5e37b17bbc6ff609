import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// Resets of all kinds, again and again, while commands are in flight.
@Suite struct ResetTests {
  enum Kind: CaseIterable, Sendable {
    case controller
    case controllerAfterShutdown
    case functionLevel
    case device
    case subsystem
  }

  /// After each reset the old queues are dead (nothing is written to their memory), and the controller works as new:
  /// each command completes once, with its interrupt, and its data is right.
  @Test(arguments: Kind.allCases, [DoorbellMechanism.slots, .socket(posted: true)])
  func losesNothing(_ kind: Kind, _ doorbells: DoorbellMechanism) throws {
    let served = try ServedController(options: ["--io-threads", "2"])
    let host = try served.host(HostOptions(doorbells: doorbells, vectors: 4), queues: 3)
    if kind == .subsystem, !host.capabilities.subsystemResetSupported { return }
    var loads: [LoadBox] = []
    for number in 1...3 as ClosedRange<UInt16> {
      let queue = try host.createQueue(number, depth: 32, vector: number)
      loads.append(
        LoadBox(
          try VerifiedLoad(
            queue, memory: host.memory, depth: 24, firstBlock: UInt64(number) * VerifiedLoad.blockCount(depth: 24),
            seed: UInt64(number))))
    }
    for round in 0..<50 {
      for box in loads {
        try box.load.run(commands: 30)
        box.load.submitAll()
      }
      let old = loads.flatMap { box in
        let memory = box.load.queue.memory
        return memory.submissionQueues + [memory.completionQueue]
      }
      switch kind {
      case .controller: try host.disable()
      case .controllerAfterShutdown:
        try host.shutdown(round % 2 == 0 ? .normal : .abrupt)
        try host.disable()
      case .functionLevel: try host.functionLevelReset()
      case .device: try host.deviceReset()
      case .subsystem: try host.subsystemReset()
      }
      let before = try host.status()
      #expect(!before.ready, "ready after a reset")
      for buffer in old { buffer.fill(0x99) }
      try host.initialize(queues: 3)
      var queues: [QueueParcel] = []
      for number in 1...3 as ClosedRange<UInt16> {
        queues.append(QueueParcel(try host.createQueue(number, depth: 32, vector: number)))
      }
      for (box, queue) in zip(loads, queues) { try box.load.resume(queue.take()) }
      let touched = old.contains { !$0.isFilled(with: 0x99) }
      #expect(!touched, "round \(round): queues of before the reset were written to")
      for buffer in old { host.memory.free(buffer) }
    }
    for box in loads {
      try box.load.run(commands: 30)
      try box.load.finish()
    }
    host.disconnect()
    try served.daemon.terminate()
  }

  /// With Bus Master Enable off the device leaves memory alone; on again, it goes on with what was rung meanwhile.
  @Test(arguments: [DoorbellMechanism.slots, .socket(posted: true)])
  func pausesWithoutBusMaster(_ doorbells: DoorbellMechanism) throws {
    let served = try ServedController()
    let host = try served.host(HostOptions(doorbells: doorbells, vectors: 2))
    let queue = try host.createQueue(1, depth: 32, vector: 1)
    let memory = queue.memory.completionQueue
    let load = try BackgroundLoad(
      try VerifiedLoad(queue, memory: host.memory, depth: 16, firstBlock: 0, seed: 3))
    for _ in 0..<100 {
      try host.setBusMaster(false)
      let entries = memory.bytes
      for _ in 0..<10 { _ = try host.status() }
      #expect(memory.bytes == entries, "a completion was posted without Bus Master Enable")
      try host.setBusMaster(true)
      try load.awaitBatches(1)
    }
    var result = try load.stop()
    try result.finish()
    host.disconnect()
    try served.daemon.terminate()
  }
}

/// A load that can be kept in an array.
private final class LoadBox {
  var load: VerifiedLoad

  init(_ load: consuming VerifiedLoad) { self.load = load }
}
