import CLinux
import GuestMemory
import LinuxIO
import NVMeSpec

extension ControllerPort {
  /// Commands that a controller has fetched in one round, from all of its queues, before the next has its turn.
  static var commandsPerRound: Int { 64 }
  /// Bytes that the thread moves or clears itself for a controller in one round: the command that exceeds them is the
  /// last.
  static var bytesPerRound: Int { 1 << 20 }

  /// How a turn of one submission queue ended.
  struct Turn {
    /// Commands fetched.
    var fetched = 0
    /// Commands that went on to a device or worker.
    var started = 0
    /// What is to be seen to.
    var outcome: Outcome = []
    /// When the next command may begin by the rate limits, as of `Clock.monotonic`; of `Outcome.rests`.
    var restsUntil = UInt64.max

    /// What few turns have.
    struct Outcome: OptionSet {
      let rawValue: UInt8
      /// More commands wait, and only their turn is missing.
      static var hasMore: Outcome { Outcome(rawValue: 1) }
      /// The completion queue is full.
      static var isBlocked: Outcome { Outcome(rawValue: 2) }
      /// No request is free.
      static var isStarved: Outcome { Outcome(rawValue: 4) }
      /// The completion queue's head doorbell has a value that it cannot have.
      static var invalidHead: Outcome { Outcome(rawValue: 8) }
      /// A command has failed.
      static var hasFailure: Outcome { Outcome(rawValue: 16) }
      /// The next command waits for rate limits.
      static var rests: Outcome { Outcome(rawValue: 32) }
    }
  }

  /// Looks at every submission queue and begins what was submitted.
  mutating func service(_ resources: inout IOResources) {
    isKicked = false
    isStarved = false
    restsUntil = UInt64.max
    guard !isPaused, let description = unsafe BorrowedDescription(description) else { return }
    isBlocked = false
    var foundNew = false
    var doorbells = 0
    var budget = ControllerPort.commandsPerRound
    resources.beginRound()
    var next: Int?
    var following = firstQueue
    var left = queueEnd
    while left > 1 {
      left &-= 1
      let index = following
      following = index &+ 1 < queueEnd ? index &+ 1 : 1
      guard submissionQueues[index].isLive else { continue }
      let tail = submissionQueues[index].tail
      let state = submissionQueues[index].look()
      if submissionQueues[index].tail != tail {
        if countsDoorbells { doorbells &+= 1 }
        clinux_trace_doorbell(
          submissionQueues[index].identifier, UInt64(truncatingIfNeeded: submissionQueues[index].tail))
      }
      switch state {
      case .nothingNew: continue
      case .invalid:
        report(queue: index, isUnknown: false)
        guard submissionQueues[index].hasCommands else { continue }
      case .commands: break
      }
      foundNew = true
      resources.clock.read()
      let queue = submissionQueues[index].completionQueue
      guard submissionQueues[index].deletion == nil, queue < completionQueues.count,
        completionQueues[queue].memory.isAttached
      else { continue }
      let turn = ControllerPort.fetch(
        &submissionQueues[index], &completionQueues[queue], &memory, namespaces, owners, counters,
        port: number, limit: budget, room: resources.portLimit &- inFlight, writeThrough: !writeCacheEnabled,
        isLimited: isLimited, maximumTransfer: maximumTransfer, description, &resources)
      inFlight &+= turn.started
      resources.progress &+= UInt64(truncatingIfNeeded: turn.fetched)
      // What was fetched and did not go on is finished.
      if turn.fetched != turn.started { unsignalled |= completionQueues[queue].signalBit }
      if !turn.outcome.isEmpty { attend(to: turn, of: queue, index, before: following, &next) }
      budget &-= turn.fetched
      if budget <= 0 || resources.bytesMoved >= ControllerPort.bytesPerRound {
        // The other controllers have their turn, and then the queues that had none.
        if left > 1 {
          isKicked = true
          if next == nil { next = following }
        }
        break
      }
    }
    if let next { firstQueue = next }
    if doorbells > 0 { counters.countDoorbells(doorbells, isShadow: doorbellBuffers != nil) }
    // An event that no queue explains: usually its doorbell was seen before it. With commands in flight it is not sought.
    if isAnnounced, !foundNew, inFlight == 0 { reportUnknownDoorbells() }
    isAnnounced = false
  }

  /// What few turns need.
  ///
  /// - Parameter next: the queue that has the next first turn.
  @inline(never)
  private mutating func attend(
    to turn: Turn, of completionQueue: Int, _ index: Int, before following: Int, _ next: inout Int?
  ) {
    let outcome = turn.outcome
    if outcome.contains(.hasMore) { isKicked = true }
    if outcome.contains(.isStarved) { isStarved = true }
    if outcome.contains(.hasFailure) { hasFailure = true }
    if outcome.contains(.invalidHead) { report(queue: completionQueue, isUnknown: false) }
    if outcome.contains(.rests) { restsUntil = min(restsUntil, turn.restsUntil) }
    if outcome.contains(.isBlocked) {
      isBlocked = true
      // The host has to make room: what waits for more entries is announced.
      releaseInterrupts()
    }
    // Where requests, entries or tokens run out, who got some goes behind those who got none.
    if next == nil, !outcome.isDisjoint(with: [.isStarved, .rests]) || outcome.contains(.isBlocked) && turn.fetched > 0
    {
      next = turn.fetched > 0 ? following : index
    }
  }

  /// Tells the control thread of a doorbell that the guest should not have written.
  func report(queue: Int, isUnknown: Bool) {
    description?.mailbox.post(
      .invalidDoorbell(queue: UInt16(truncatingIfNeeded: queue), isUnknown: isUnknown), limit: 16)
  }

  /// Looks for values in the slots of queues that do not exist: after an event that no queue explains.
  @inline(never)
  private func reportUnknownDoorbells() {
    guard let description else { return }
    for index in 1..<submissionQueues.count
    where !submissionQueues[index].isLive && description.announces(queue: index) {
      guard let slot = description.slots.submissionQueueTail(UInt16(index)), slot.load() != 0 else { continue }
      // The queue may live on the thread of its completion queue: only the control thread knows them all.
      report(queue: index, isUnknown: true)
    }
  }

  /// One turn of a submission queue: fetches and begins commands until it is empty, its turn is over, or something
  /// that a command needs is missing.
  @inline(never)
  private static func fetch(
    _ queue: inout SubmissionQueue, _ completions: inout CompletionQueue, _ memory: inout MemoryMap,
    _ namespaces: borrowing FixedTable<NamespaceGeometry>, _ owners: borrowing FixedTable<Namespace?>,
    _ counters: PortCounters.Writer, port: Int, limit: Int, room: Int, writeThrough: Bool, isLimited: Bool,
    maximumTransfer: UInt64, _ description: BorrowedDescription, _ resources: inout IOResources
  ) -> Turn {
    let origin = Request.Origin(
      port: port, submissionQueue: Int(queue.identifier), begun: resources.clock.now)
    var turn = Turn()
    // A command needs one request at most: who has room for all of the turn need not look at each.
    resources.turnLimit = min(limit, room)
    while queue.hasCommands {
      if turn.fetched >= resources.turnLimit {
        turn.outcome.insert(turn.started >= room ? .isStarved : .hasMore)
        return turn
      }
      guard let index = resources.requests.next else {
        turn.outcome.insert(.isStarved)
        return turn
      }
      let reservation = completions.reserve()
      if reservation != .reserved {
        if reservation.sawInvalid { turn.outcome.insert(.invalidHead) }
        guard reservation.isReserved else {
          turn.outcome.insert(.isBlocked)
          return turn
        }
      }
      guard let command = queue.fetchIOCommand() else {
        completions.cancelReservation()
        return turn
      }
      if isLimited {
        turn.restsUntil = admit(
          command, aborted: queue.abortedCommand, namespaces, maximumTransfer: maximumTransfer, description, resources)
        if turn.restsUntil != UInt64.max {
          turn.outcome.insert(.rests)
          completions.cancelReservation()
          queue.unfetch()
          return turn
        }
      }
      turn.fetched &+= 1
      clinux_trace_command_fetch(command.cdw0)
      let status: Status?
      if let aborted = queue.abortedCommand, aborted == command.commandIdentifier {
        queue.abortedCommand = nil
        status = .abortRequested
      } else {
        status = begin(
          command, index, from: origin, &memory, namespaces, owners, counters, writeThrough: writeThrough,
          maximumTransfer: maximumTransfer, &resources)
      }
      if let status {
        if !status.isSuccess {
          turn.outcome.insert(.hasFailure)
          note(status, command, queue.identifier, description, counters)
        }
        _ = completions.post(
          status, dw0: 0, sqHead: queue.head, sqIdentifier: queue.identifier, command: command.commandIdentifier)
      } else {
        queue.inFlight &+= 1
        turn.started &+= 1
      }
    }
    return turn
  }

  /// Counts and logs a command that failed.
  @inline(never)
  static func note(
    _ status: Status, _ command: SubmissionQueueEntry, _ queue: UInt16, _ description: BorrowedDescription,
    _ counters: PortCounters.Writer
  ) {
    counters.countFailure(CommandKind(command), status, .none)
    description.object.noteFailure(
      ErrorLog.Entry(
        submissionQueue: queue, command: command.commandIdentifier, status: status, slba: command.slba,
        namespaceIdentifier: command.namespaceIdentifier))
  }
}
