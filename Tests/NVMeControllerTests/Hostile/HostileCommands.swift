import NVMeSpec

/// Commands that no driver would send: sensible ones, sensible ones with nonsense in some field, and random bits.
struct HostileCommands {
  /// What the controller says of itself, as far as it decides what a command comes to.
  struct Limits {
    /// log2 of the block size and the number of blocks, by namespace identifier - 1; nil: inactive.
    var namespaces: [(shift: UInt64, blocks: UInt64, isReadOnly: Bool)?]
    var maximumTransfer: UInt64
  }

  let memory: HostileMemory
  let limits: Limits
  var random: SeededGenerator

  /// True once in `count` times.
  private mutating func one(in count: UInt64) -> Bool { UInt64.random(in: 0..<count, using: &random) == 0 }

  private mutating func dword() -> UInt32 { UInt32(truncatingIfNeeded: random.next()) }

  private mutating func any<Value>(_ values: [Value]) -> Value {
    values[Int.random(in: 0..<values.count, using: &random)]
  }

  // MARK: I/O

  private static let supported: [NVMOpcode] = [
    .flush, .write, .read, .compare, .verify, .writeZeroes, .datasetManagement,
  ]

  /// The next I/O command.
  mutating func io() -> SubmissionQueueEntry {
    if one(in: 12) { return randomBits() }
    if one(in: 3) { return sound() }
    var command = SubmissionQueueEntry(opcode: 0, nsid: UInt32.random(in: 1...3, using: &random))
    switch UInt64.random(in: 0..<16, using: &random) {
    case 0: command.opcode = any(NVMOpcode.allCases).rawValue
    case 1: command.opcode = UInt8(truncatingIfNeeded: random.next())
    case 2...8: command.opcode = any([NVMOpcode.read, .write]).rawValue
    default: command.opcode = any(HostileCommands.supported).rawValue
    }
    if one(in: 16) { command.namespaceIdentifier = any([0, 4, 8, 9, 255, 256, 65_535, .max - 1, .max, dword()]) }
    setRange(&command)
    setData(&command)
    if one(in: 32) { command.fused = UInt8.random(in: 1...3, using: &random) }
    // One field of the rest, or none.
    switch UInt64.random(in: 0..<16, using: &random) {
    case 0: command.cdw2 = dword()
    case 1: command.cdw3 = dword()
    case 2: command.metadataPointer = memory.anyAddress(&random)
    case 3: command.cdw13 = dword()
    case 4: command.cdw14 = dword()
    case 5: command.cdw15 = dword()
    case 6: command.cdw12 ^= dword() << 16
    default: break
    }
    return command
  }

  /// A command that nothing is wrong with.
  private mutating func sound() -> SubmissionQueueEntry {
    var command = SubmissionQueueEntry(opcode: any([NVMOpcode.read, .write, .verify, .flush]).rawValue, nsid: 1)
    command.slba = UInt64.random(in: 0..<(limits.namespaces.first??.blocks ?? 16) - 16, using: &random)
    command.numberOfLogicalBlocks = UInt32.random(in: 1...16, using: &random)
    // At most two pages.
    let first = UInt64.random(in: 0..<4096 / 512, using: &random)
    command.numberOfLogicalBlocks = min(command.numberOfLogicalBlocks, UInt32(16 - first))
    command.prp1 = memory.dataPage(&random) + first * 512
    command.prp2 = memory.dataPage(&random)
    return command
  }

  private mutating func randomBits() -> SubmissionQueueEntry {
    SubmissionQueueEntry(
      cdw0: dword(), namespaceIdentifier: dword(), cdw2: dword(), cdw3: dword(), metadataPointer: random.next(),
      dataPointer0: random.next(), dataPointer1: random.next(), cdw10: dword(), cdw11: dword(), cdw12: dword(),
      cdw13: dword(), cdw14: dword(), cdw15: dword())
  }

  /// SLBA and NLB; for Dataset Management they are the number of ranges and the attributes.
  private mutating func setRange(_ command: inout SubmissionQueueEntry) {
    let place = Int(command.namespaceIdentifier) - 1
    let blocks = limits.namespaces.indices.contains(place) ? limits.namespaces[place]?.blocks ?? 1 : 1
    switch UInt64.random(in: 0..<16, using: &random) {
    case 0: command.slba = random.next()
    case 1: command.slba = 0 &- UInt64.random(in: 0...70_000, using: &random)
    case 2: command.slba = any([1 << 52, 1 << 55, 1 << 63, 1 << 32, UInt64.max >> 9, UInt64.max >> 12])
    case 3, 4: command.slba = blocks &+ UInt64.random(in: 0...16, using: &random) &- 8
    default: command.slba = UInt64.random(in: 0..<blocks, using: &random)
    }
    switch UInt64.random(in: 0..<8, using: &random) {
    case 0: command.numberOfLogicalBlocks = UInt32.random(in: 1...65_536, using: &random)
    case 1: command.numberOfLogicalBlocks = UInt32.random(in: 1...520, using: &random)
    default: command.numberOfLogicalBlocks = UInt32.random(in: 1...24, using: &random)
    }
    if command.opcode == NVMOpcode.datasetManagement.rawValue {
      command.cdw10 = one(in: 4) ? dword() : UInt32.random(in: 0...255, using: &random)
      command.cdw11 = any([0, 4, 4, 7, dword()])
    }
  }

  /// The data pointer.
  private mutating func setData(_ command: inout SubmissionQueueEntry) {
    switch UInt64.random(in: 0..<16, using: &random) {
    case 0:
      command.dataTransferType = any([2, 3])
      command.sgl = memory.anyDescriptor(&random)
    case 1...3:
      command.dataTransferType = 1
      command.sgl = memory.anyDescriptor(&random)
    case 4:
      // Exactly what the command transfers, at any address.
      command.dataTransferType = 1
      command.sgl = SGLDescriptor(
        type: .dataBlock, address: memory.dataPage(&random) + UInt64.random(in: 0..<4096, using: &random),
        length: command.numberOfLogicalBlocks << 9)
    case 5, 6:
      command.prp1 = memory.anyAddress(&random)
      command.prp2 = memory.anyAddress(&random)
    case 7:
      // A list that begins close to the end of its page, so that it goes on in another.
      command.prp1 = memory.dataPage(&random)
      command.prp2 = memory.anyList(&random) + 4096 - 8 * UInt64.random(in: 1...4, using: &random)
    case 8...11:
      command.prp1 = memory.dataPage(&random) + UInt64.random(in: 0..<1024, using: &random) * 4
      command.prp2 = any([memory.anyList(&random), memory.dataPage(&random)])
    default:
      command.prp1 = memory.dataPage(&random)
      command.prp2 = any([memory.anyList(&random), memory.dataPage(&random)])
    }
  }

  /// The status that the command must complete with, where its fields decide that by themselves; nil where it depends on
  /// the data pointer or on what is stored.
  func status(of command: SubmissionQueueEntry) -> Status? {
    guard let opcode = NVMOpcode(rawValue: command.opcode), HostileCommands.supported.contains(opcode) else {
      // Which of two errors is reported is left open.
      return command.fused == 0 && command.dataTransferType != 3 ? .invalidOpcode : nil
    }
    if command.fused != 0 || command.dataTransferType == 3 { return .invalidField }
    let nsid = command.namespaceIdentifier
    if opcode == .flush, nsid == UInt32.max { return .success }
    guard nsid > 0, nsid <= limits.namespaces.count else { return .invalidNamespace }
    guard let namespace = limits.namespaces[Int(nsid) - 1] else { return .invalidField }
    switch opcode {
    case .flush: return .success
    case .write, .writeZeroes, .datasetManagement:
      if namespace.isReadOnly { return .namespaceWriteProtected }
      if opcode == .datasetManagement { return nil }
    default: break
    }
    let count = UInt64(command.numberOfLogicalBlocks)
    let isTooLarge = opcode != .writeZeroes && count << namespace.shift > limits.maximumTransfer
    let isOutside = command.slba >= namespace.blocks || namespace.blocks - command.slba < count
    if isTooLarge { return .invalidField }
    if isOutside { return .lbaOutOfRange }
    if opcode == .verify || opcode == .writeZeroes { return .success }
    if command.dataTransferType == 0, command.prp1 % 4 != 0 { return .invalidPRPOffset }
    return nil
  }

  // MARK: Admin

  /// The next admin command.
  mutating func admin() -> SubmissionQueueEntry {
    if one(in: 12) { return randomBits() }
    if one(in: 4) {
      let features: [FeatureIdentifier] = [.arbitration, .powerManagement, .volatileWriteCache, .numberOfQueues]
      return one(in: 2)
        ? .identify(any([1, 2, 6, 7, 0x1c]), to: memory.dataPage(&random)) : .getFeatures(any(features).rawValue)
    }
    var command = SubmissionQueueEntry(opcode: 0, nsid: any([0, 0, 1, 2, 3, 4, 9, .max, dword()]))
    command.opcode = one(in: 16) ? UInt8(truncatingIfNeeded: random.next()) : any(AdminOpcode.allCases).rawValue
    switch UInt64.random(in: 0..<4, using: &random) {
    case 0: command.prp1 = memory.anyAddress(&random)
    default: command.prp1 = memory.dataPage(&random)
    }
    command.prp2 = any([memory.anyAddress(&random), memory.anyList(&random), memory.dataPage(&random)])
    // Queue, CNS, feature or log page identifier; size, or number of dwords.
    let low = one(in: 8) ? dword() : UInt32.random(in: 0...10, using: &random)
    let high = one(in: 4) ? dword() : any([0, 1, 2, 15, 63, 255, 256, 1023])
    command.cdw10 = low & 0xffff | high << 16
    command.cdw11 = one(in: 4) ? dword() : any([0, 1, 3, 5]) | UInt32.random(in: 0...9, using: &random) << 16
    if one(in: 4) { command.cdw12 = dword() }
    if one(in: 8) { command.cdw13 = dword() }
    if one(in: 8) { command.cdw14 = any([0, 1, 2, dword()]) }
    if one(in: 32) { command.dataTransferType = UInt8.random(in: 1...3, using: &random) }
    if one(in: 32) { command.fused = UInt8.random(in: 1...3, using: &random) }
    return command
  }
}
