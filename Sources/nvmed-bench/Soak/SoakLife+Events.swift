import LinuxIO
import NVMeHost
import NVMeSpec

/// What disturbs a guest's commands, and what becomes of them then.
extension SoakLife {
  /// Something at random.
  mutating func disturb(_ guest: inout SoakGuest) throws {
    try takeEvents(&guest)
    switch guest.random.next() % 26 {
    case 0...4: try deleteQueue(&guest)
    case 5...8: try unmapWindow(&guest)
    case 9: try unmapEverything(&guest)
    case 10...13: try abort(&guest)
    case 14...17: try ask(&guest)
    case 18: try pauseDMA(&guest)
    case 19: try refuseSecondClient(&guest)
    case 20: try reset(&guest, "resets by CC.EN") { (host) throws(HostError) in try host.disable() }
    case 21: try reset(&guest, "function level resets") { (host) throws(HostError) in try host.functionLevelReset() }
    case 22: try reset(&guest, "device resets") { (host) throws(HostError) in try host.deviceReset() }
    case 23:
      guard host.capabilities.subsystemResetSupported else { return }
      try reset(&guest, "subsystem resets") { (host) throws(HostError) in try host.subsystemReset() }
    case 24:
      let kind: ShutdownNotification = guest.random.next() % 2 == 0 ? .normal : .abrupt
      try reset(&guest, "shutdowns") { (host) throws(HostError) in try host.shutdown(kind) }
    default:
      if guest.random.next() % 2 == 0 {
        guest.note("abrupt disconnections")
        try disconnect(&guest)
      } else {
        guest.note("orderly disconnections")
        try drain(&guest)
        try leave()
      }
    }
  }

  /// A pair of queues goes with whatever is in it, and another one comes.
  private mutating func deleteQueue(_ guest: inout SoakGuest) throws {
    let index = Int(guest.random.next() % UInt64(queues.count))
    let identifier = queues[index].identifier
    guest.note("queues deleted")
    try queues[index].settle()
    try host.requireSuccess(host.admin(.deleteSubmissionQueue(identifier)))
    _ = try queues[index].reap(isDeleting: true, &guest.lanes[index], &guest.counts)
    // What has not completed by now was never fetched.
    queues[index].lose(areExecuted: false, &guest.lanes[index], &guest.counts)
    try host.requireSuccess(host.admin(.deleteCompletionQueue(identifier)))
    guard !queues[index].hasCompletion else {
      throw StormFailure("queue \(identifier): a completion after the deletion of its submission queue")
    }
    free(queues[index].memory)
    queues[index].begin(try SoakLife.create(host, index, &guest.random))
  }

  /// The memory of the data of some queues goes and comes back while commands are in flight.
  private mutating func unmapWindow(_ guest: inout SoakGuest) throws {
    let window = Int(guest.random.next() % 2)
    guest.note("memory unmapped")
    for index in 0..<queues.count where index % 2 == window { queues[index].expectFaults() }
    try patiently { (host) throws(HostError) in try host.unmap(host.memory.ranges[window + 1]) }
    // Commands go on meanwhile: those on that memory fail.
    for index in 0..<queues.count {
      _ = try queues[index].submit(limit: 8, &guest.lanes[index], &guest.random)
      if index % 2 == window { queues[index].expectFaults() }
      try queues[index].ring(&guest.random, &guest.counts)
    }
    for index in 0..<queues.count { _ = try queues[index].reap(&guest.lanes[index], &guest.counts) }
    try host.map(host.memory.ranges[window + 1])
  }

  /// All memory goes, that of the queues too, and comes back: commands rest meanwhile.
  private mutating func unmapEverything(_ guest: inout SoakGuest) throws {
    guest.note("all memory unmapped")
    for index in 0..<queues.count { queues[index].expectFaults() }
    try patiently { (host) throws(HostError) in try host.unmapAll() }
    for index in 0..<queues.count { try queues[index].ring(&guest.random, &guest.counts) }
    for range in host.memory.ranges { try host.map(range) }
  }

  private mutating func abort(_ guest: inout SoakGuest) throws {
    let index = Int(guest.random.next() % UInt64(queues.count))
    // One whose end has only not been taken yet is not asked for twice.
    let identifiers = queues[index].abortable
    guard !identifiers.isEmpty else { return }
    let command = identifiers[Int(guest.random.next() % UInt64(identifiers.count))]
    guest.note("aborts")
    queues[index].note(.isPossible, for: command)
    try queues[index].settle()
    let completion = try host.requireSuccess(
      host.admin(.abort(submissionQueue: UInt16(index + 1), command: UInt16(command))))
    // Bit 0 says whether it was too late.
    queues[index].note(completion.dw0 & 1 == 0 ? .isDone : .none, for: command)
  }

  /// Bus Master goes off and on again.
  private mutating func pauseDMA(_ guest: inout SoakGuest) throws {
    guest.note("pauses of DMA")
    try patiently { (host) throws(HostError) in try host.setBusMaster(false) }
    for index in 0..<queues.count { try queues[index].ring(&guest.random, &guest.counts) }
    try host.setBusMaster(true)
  }

  /// Everything is as at power-on, with whatever is in flight.
  private mutating func reset(
    _ guest: inout SoakGuest, _ name: String, _ reset: (HostController) throws(HostError) -> Void
  ) throws {
    guest.note(name)
    try patiently(reset)
    loseAll(&guest)
    try begin(&guest)
  }

  /// What waits for commands in flight is refused as busy where the disk is slow: a monitor asks again.
  private func patiently(_ request: (HostController) throws(HostError) -> Void) throws {
    let deadline = Clock.monotonic + UInt64(SoakLife.timeout) * 1_000_000
    while true {
      do throws(HostError) { return try request(host) } catch {
        guard error == .message(.busy), Clock.monotonic < deadline else { throw error }
      }
    }
  }

  /// Somebody else connects meanwhile.
  private mutating func refuseSecondClient(_ guest: inout SoakGuest) throws {
    guest.note("second clients")
    do {
      _ = try HostController(path: guest.socket, memory: host.memory)
    } catch { return }
    throw StormFailure("\(guest.socket): a second client was accepted")
  }

  // MARK: Admin commands

  private mutating func ask(_ guest: inout SoakGuest) throws {
    guest.note("admin commands")
    switch guest.random.next() % 6 {
    case 0: _ = try host.identifyController()
    case 1: _ = try host.namespaces()
    case 2: _ = try host.getLogPage(.smartHealthInformation, byteCount: SMARTHealthLog.byteCount)
    case 3: _ = try host.getLogPage(.errorInformation, byteCount: ErrorInformationLogEntry.byteCount)
    case 4:
      // Entries that are waited for at most 15, for at most 1 ms.
      let value = UInt32(guest.random.next() % 16) | UInt32(guest.random.next() % 11) << 8
      try host.requireSuccess(host.setFeature(.interruptCoalescing, value))
    default:
      try host.requireSuccess(host.setFeature(.volatileWriteCache, UInt32(guest.random.next() % 2)))
    }
  }

  /// Takes the asynchronous events that have come, and asks for the next.
  private mutating func takeEvents(_ guest: inout SoakGuest) throws {
    let completions = try host.withAdminQueue { (queue) throws(HostError) in
      var completions = queue.unclaimed
      queue.unclaimed = []
      queue.poll(into: &completions)
      queue.acknowledge()
      return completions
    }
    for completion in completions {
      guard let place = eventRequests.firstIndex(of: completion.commandIdentifier), completion.status.isSuccess,
        let event = AsynchronousEvent(completionDword0: completion.dw0), event == .namespaceAttributeChanged
      else { throw StormFailure("\(guest.socket): an event that is none: \(completion)") }
      eventRequests.remove(at: place)
      guest.note("namespace events")
      _ = try host.getLogPage(.changedNamespaceList, byteCount: ChangedNamespaceListLog.byteCount)
      try requestEvent()
    }
  }
}
