import KVM
import NVMeSpec

/// The guest's code.
///
/// Registers: EDI is the entry being made, ESI the completion looked at, ECX a counter, EAX and EDX scratch.
extension DiskTest {
  /// Entries of the admin queues.
  private static let adminQueueSize: UInt16 = 8

  /// The places that the parts of the code share.
  private struct Places {
    var submitAdmin: Assembler.Label
    var submitIO: Assembler.Label
    var end: Assembler.Label
  }

  /// The program to load.
  ///
  /// - Throws: never for a valid test; what `Assembler.assemble()` throws.
  public func program() throws(Assembler.Failure) -> GuestProgram {
    var code = Assembler(origin: GuestProgram.codeAddress)
    let places = Places(submitAdmin: code.label(), submitIO: code.label(), end: code.label())
    enableController(&code, places)
    createQueues(&code, places)
    writePages(&code, places)
    readPages(&code, places)
    code.mov(.eax, Result.passed.rawValue)
    code.place(places.end)
    code.out(GuestProgram.reportPort)
    code.cli()
    code.hlt()
    submitAndWait(&code, Layout.admin, size: Self.adminQueueSize, at: places.submitAdmin, places)
    submitAndWait(&code, Layout.io, size: queueSize, at: places.submitIO, places)
    let handlers = [Layout.admin, Layout.io].map { interruptHandler(&code, $0) }
    var segments = [GuestProgram.Segment(address: code.origin, bytes: try code.assemble())]
    for (vector, handler) in zip(Self.interruptVectors, handlers) {
      segments.append(GuestProgram.interrupt(vector, handler: try code.address(of: handler)))
    }
    return GuestProgram(segments: segments, entry: code.origin)
  }

  /// NVMe base 2.0, 3.5.1: the steps of initialization.
  private func enableController(_ code: inout Assembler, _ places: Places) {
    code.mov(.gs(LocalAPIC.spuriousVector), LocalAPIC.enabled)
    for queue in [Layout.admin, Layout.io] { code.mov(.at(queue.phase), Self.phaseTag) }
    code.mov(Self.register(ControllerRegister.configuration), 0)
    awaitReady(&code, false, places)
    let attributes = AdminQueueAttributes(
      submissionQueueSize: Int(Self.adminQueueSize), completionQueueSize: Int(Self.adminQueueSize))
    code.mov(Self.register(ControllerRegister.adminQueueAttributes), attributes.rawValue)
    code.mov(
      Self.register(ControllerRegister.adminSubmissionQueueBase), UInt32(Layout.admin.submissionQueue))
    code.mov(Self.register(ControllerRegister.adminSubmissionQueueBase + 4), 0)
    code.mov(
      Self.register(ControllerRegister.adminCompletionQueueBase), UInt32(Layout.admin.completionQueue))
    code.mov(Self.register(ControllerRegister.adminCompletionQueueBase + 4), 0)
    var configuration = ControllerConfiguration()
    configuration.ioSubmissionQueueEntrySize = 6
    configuration.ioCompletionQueueEntrySize = 4
    configuration.enable = true
    code.mov(Self.register(ControllerRegister.configuration), configuration.rawValue)
    awaitReady(&code, true, places)
  }

  /// Reads CSTS until RDY is as wanted.
  private func awaitReady(_ code: inout Assembler, _ isReady: Bool, _ places: Places) {
    var ready = ControllerStatus()
    ready.ready = true
    var fatal = ControllerStatus()
    fatal.controllerFatalStatus = true
    let again = code.here()
    let noFailure = code.label()
    code.mov(.eax, Self.register(ControllerRegister.status))
    code.mov(.at(Layout.detail), .eax)
    code.and(.eax, fatal.rawValue)
    code.j(.equal, noFailure)
    code.mov(.eax, Result.controllerFatal.rawValue)
    code.jmp(places.end)
    code.place(noFailure)
    code.mov(.eax, .at(Layout.detail))
    code.and(.eax, ready.rawValue)
    code.j(isReady ? .equal : .notEqual, again)
  }

  private func createQueues(_ code: inout Assembler, _ places: Places) {
    var completionQueue = CreateIOCompletionQueueCommand(
      SubmissionQueueEntry(cdw0: UInt32(AdminOpcode.createIOCompletionQueue.rawValue)))
    completionQueue.queueIdentifier = Layout.io.identifier
    completionQueue.size = Int(queueSize)
    completionQueue.physicallyContiguous = true
    completionQueue.interruptsEnabled = true
    completionQueue.interruptVector = 1
    completionQueue.prp1 = UInt64(Layout.io.completionQueue)
    var submissionQueue = CreateIOSubmissionQueueCommand(
      SubmissionQueueEntry(cdw0: UInt32(AdminOpcode.createIOSubmissionQueue.rawValue)))
    submissionQueue.queueIdentifier = Layout.io.identifier
    submissionQueue.size = Int(queueSize)
    submissionQueue.physicallyContiguous = true
    submissionQueue.completionQueueIdentifier = Layout.io.identifier
    submissionQueue.prp1 = UInt64(Layout.io.submissionQueue)
    for entry in [completionQueue.entry, submissionQueue.entry] {
      store(&code, entry, in: Layout.admin)
      code.call(places.submitAdmin)
    }
  }

  private func writePages(_ code: inout Assembler, _ places: Places) {
    forEachPage(&code) { code in
      forEachWord(&code, of: Layout.writeBuffer) { code in code.mov(.di(), .eax) }
      transfer(&code, .write, Layout.writeBuffer)
      code.call(places.submitIO)
    }
  }

  private func readPages(_ code: inout Assembler, _ places: Places) {
    forEachPage(&code) { code in
      // Nothing of the page before may be left.
      forEachWord(&code, of: Layout.readBuffer) { code in code.mov(.di(), 0xFFFF_FFFF) }
      transfer(&code, .read, Layout.readBuffer)
      code.call(places.submitIO)
      forEachWord(&code, of: Layout.readBuffer) { code in
        let isEqual = code.label()
        code.cmp(.eax, .di())
        code.j(.equal, isEqual)
        code.mov(.eax, Result.mismatch.rawValue)
        code.jmp(places.end)
        code.place(isEqual)
      }
    }
  }

  /// Runs `body` for every page, with its number in the variable.
  private func forEachPage(_ code: inout Assembler, _ body: (inout Assembler) -> Void) {
    code.mov(.at(Layout.page), 0)
    let next = code.here()
    body(&code)
    code.inc(.at(Layout.page))
    code.mov(.eax, .at(Layout.page))
    code.cmp(.eax, pageCount)
    code.j(.below, next)
  }

  /// Runs `body` for every word of a buffer: EDI is its address, EAX what the pattern of the page has there.
  private func forEachWord(_ code: inout Assembler, of buffer: UInt16, _ body: (inout Assembler) -> Void) {
    code.imul(.eax, .at(Layout.page), Self.pageFactor)
    code.mov(.edi, UInt32(buffer))
    code.mov(.ecx, UInt32(Self.pageSize / 4))
    let next = code.here()
    body(&code)
    code.add(.eax, Self.wordStep)
    code.add(.edi, 4)
    code.dec(.ecx)
    code.j(.notEqual, next)
  }

  /// Makes the command that transfers the page, in the next entry of the I/O queue.
  private func transfer(_ code: inout Assembler, _ opcode: NVMOpcode, _ buffer: UInt16) {
    var entry = SubmissionQueueEntry(cdw0: UInt32(opcode.rawValue), namespaceIdentifier: 1)
    entry.prp1 = UInt64(buffer)
    let blocks = UInt32(Self.pageSize) / blockSize
    entry.numberOfLogicalBlocks = blocks
    store(&code, entry, in: Layout.io)
    code.imul(.eax, .at(Layout.page), blocks)
    code.mov(.di(Self.cdw10Offset), .eax)
  }

  /// Stores a command in the next entry of a queue, with the number of commands sent as its identifier. EDI is then its
  /// address.
  private func store(_ code: inout Assembler, _ entry: SubmissionQueueEntry, in queue: Queue) {
    code.mov(.edi, .at(queue.tail))
    code.shl(.edi, 6)
    code.add(.edi, UInt32(queue.submissionQueue))
    for (index, word) in Self.words(entry).enumerated() { code.mov(.di(UInt16(index * 4)), word) }
    code.mov(.eax, .at(queue.sent))
    code.shl(.eax, 16)
    code.add(.eax, entry.cdw0)
    code.mov(.di(), .eax)
  }

  /// A procedure: rings the tail doorbell, sleeps until the interrupt, checks the completion, rings the head doorbell.
  private func submitAndWait(
    _ code: inout Assembler, _ queue: Queue, size: UInt16, at label: Assembler.Label, _ places: Places
  ) {
    code.place(label)
    advance(&code, queue.tail, size: size) { _ in }
    code.mov(Self.register(DoorbellRegister.submissionQueueTail(queue.identifier)), .eax)
    code.inc(.at(queue.sent))

    let wait = code.here()
    let interrupted = code.label()
    code.cli()
    code.mov(.eax, .at(queue.sent))
    code.cmp(.eax, .at(queue.interrupts))
    code.j(.equal, interrupted)
    code.sti()
    code.hlt()
    code.jmp(wait)

    // Dword 3 is command identifier, phase tag and status; it must be that of the command just sent, without an error.
    code.place(interrupted)
    let isNew = code.label()
    let isGood = code.label()
    code.mov(.esi, .at(queue.head))
    code.shl(.esi, 4)
    code.add(.esi, UInt32(queue.completionQueue))
    code.mov(.eax, .si(12))
    code.mov(.at(Layout.detail), .eax)
    code.xor(.eax, .at(queue.phase))
    code.and(.eax, Self.phaseTag)
    code.j(.equal, isNew)
    code.mov(.eax, Result.noCompletion.rawValue)
    code.jmp(places.end)
    code.place(isNew)
    code.mov(.eax, .at(Layout.detail))
    code.xor(.eax, .at(queue.phase))
    code.inc(.eax)
    code.cmp(.eax, .at(queue.sent))
    code.j(.equal, isGood)
    code.mov(.eax, Result.commandFailed.rawValue)
    code.jmp(places.end)
    code.place(isGood)

    advance(&code, queue.head, size: size) { code in
      code.mov(.edx, .at(queue.phase))
      code.xor(.edx, Self.phaseTag)
      code.mov(.at(queue.phase), .edx)
    }
    code.mov(Self.register(DoorbellRegister.completionQueueHead(queue.identifier)), .eax)
    code.ret()
  }

  /// Moves an index on, to EAX and its variable; `wrapped` is done where it comes back to 0.
  private func advance(
    _ code: inout Assembler, _ index: UInt16, size: UInt16, wrapped: (inout Assembler) -> Void
  ) {
    let isInside = code.label()
    code.mov(.eax, .at(index))
    code.inc(.eax)
    code.cmp(.eax, UInt32(size))
    code.j(.below, isInside)
    wrapped(&code)
    code.mov(.eax, 0)
    code.place(isInside)
    code.mov(.at(index), .eax)
  }

  /// Counts the interrupt and ends it.
  private func interruptHandler(_ code: inout Assembler, _ queue: Queue) -> Assembler.Label {
    let handler = code.here()
    code.inc(.at(queue.interrupts))
    code.mov(.gs(LocalAPIC.endOfInterrupt), 0)
    code.iret()
    return handler
  }

  /// The phase tag in dword 3 of a completion.
  private static let phaseTag: UInt32 = 1 << 16
  /// Where CDW10, the lower half of the first block, is in an entry.
  private static let cdw10Offset: UInt16 = 40

  /// A register of BAR0.
  private static func register(_ offset: UInt64) -> Assembler.Memory { .fs(UInt16(truncatingIfNeeded: offset)) }

  /// The dwords of an entry.
  private static func words(_ entry: SubmissionQueueEntry) -> [UInt32] {
    func halves(_ value: UInt64) -> [UInt32] {
      [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
    }
    return [entry.cdw0, entry.namespaceIdentifier, entry.cdw2, entry.cdw3] + halves(entry.metadataPointer)
      + halves(entry.dataPointer0) + halves(entry.dataPointer1)
      + [entry.cdw10, entry.cdw11, entry.cdw12, entry.cdw13, entry.cdw14, entry.cdw15]
  }
}
