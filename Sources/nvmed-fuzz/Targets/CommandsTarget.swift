import DeviceServer
import NVMeSpec

/// Commands of any content, with PRP lists and SGLs of any content behind them.
///
/// The input changes words of memory and gives commands; all that were given complete, whatever they are, but for
/// asynchronous event requests. Pages that are not the device's stay as they are.
enum CommandsTarget {
  nonisolated(unsafe) private static let server = InlineServer.forFuzzing(FuzzDisk.inMemory())

  static func test(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let guest = FuzzGuest(FuzzHost(server), ioQueues: 2)
    while !input.isEmpty, guest.host.isConnected {
      let head = input.byte()
      if head & 3 == 0 {
        if !pokeAddresses(&input) { break }
        continue
      }
      let queue = head & 0x80 != 0 ? 0 : 1 + Int(head >> 2 & 1)
      for _ in 0..<1 + Int(head >> 3 & 3) {
        if let command = command(&input, isAdmin: queue == 0) { guest.submit(command, to: queue) }
      }
      guest.ring(queue)
      guest.finish(queue)
      if guest.queues[queue].inFlight > 0 { break }
    }
    guest.host.end()
    FuzzMemory.checkGuards()
  }

  /// Writes addresses, as of PRP lists and SGL segments, into the memory that the device may read.
  ///
  /// - Returns: false where one leads to the queues.
  private static func pokeAddresses(_ input: inout FuzzInput) -> Bool {
    let first = FuzzMemory.dataPages.lowerBound * FuzzMemory.pageSize
    let offset = Int(input.integer(UInt16.self)) * 8
    for index in 0..<1 + input.choice(8) {
      let kind = input.byte()
      let value = kind & 1 == 0 ? address(&input) : input.integer(UInt64.self)
      if FuzzGuest.isNearQueues(value) { return false }
      // Queues are the model's.
      FuzzMemory.poke(first + (offset + index * 8) % (FuzzMemory.byteCount - first), value)
    }
    return true
  }

  /// An address of guest memory, more often than not a good one.
  static func address(_ input: inout FuzzInput) -> UInt64 {
    let kind = input.byte()
    let first = FuzzMemory.dataPages.lowerBound
    let page = first + input.choice(FuzzMemory.pageCount - first)
    let offset = kind & 1 == 0 ? 0 : UInt64(input.integer(UInt16.self) & 0xfff)
    switch kind >> 1 & 7 {
    case 7: return input.integer()
    case 6: return 0 &- UInt64(input.integer(UInt16.self))
    default: return FuzzGuest.address(page: page) + offset
    }
  }

  /// A command; nil where it leads to the queues, which are the model's.
  static func command(_ input: inout FuzzInput, isAdmin: Bool) -> SubmissionQueueEntry? {
    var entry = SubmissionQueueEntry()
    let head = input.byte()
    if head & 0x80 != 0 {
      // Any 64 bytes, but for a command identifier that can be told from the model's own.
      entry.cdw0 = input.integer()
      entry.namespaceIdentifier = input.integer()
      entry.metadataPointer = input.integer()
      entry.dataPointer0 = input.integer()
      entry.dataPointer1 = input.integer()
      entry.cdw10 = input.integer()
      entry.cdw11 = input.integer()
      entry.cdw12 = input.integer()
      entry.cdw13 = input.integer()
      entry.cdw14 = input.integer()
      entry.cdw15 = input.integer()
    } else {
      entry.opcode = isAdmin ? input.one(of: AdminOpcode.allCases).rawValue : input.one(of: NVMOpcode.allCases).rawValue
      entry.namespaceIdentifier = head & 0x40 == 0 ? 1 : input.one(of: [0, 1, 2, 3, .max, 65])
      entry.dataPointer0 = address(&input)
      entry.dataPointer1 = address(&input)
      entry.cdw10 = UInt32(input.byte())
      entry.cdw12 = UInt32(input.byte() & 0x3f)
      if head & 0x20 != 0 { entry.cdw11 = input.integer() }
      if head & 0x10 != 0 {
        entry.dataTransferType = 1
        entry.dataPointer1 = input.integer()
      }
      if head & 0x08 != 0 { entry.cdw10 = input.integer() }
      if head & 0x04 != 0 { entry.cdw12 = input.integer() }
    }
    entry.commandIdentifier = UInt16(input.byte())
    // Deleted queues and doorbells in memory are for SessionTarget; an event request is not answered.
    let others: [AdminOpcode] = [
      .deleteIOSubmissionQueue, .deleteIOCompletionQueue, .asynchronousEventRequest, .doorbellBufferConfig,
    ]
    if isAdmin, others.contains(where: { $0.rawValue == entry.opcode }) { entry.opcode = AdminOpcode.identify.rawValue }
    let leads = [entry.dataPointer0, entry.dataPointer1].contains(where: FuzzGuest.isNearQueues)
    return leads ? nil : entry
  }
}
