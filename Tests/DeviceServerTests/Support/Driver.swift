import Glibc
import LinuxIO
import NVMeSpec

/// As much of an NVMe driver as these tests need: an admin queue and one I/O queue pair, doorbells by message.
///
/// Guest memory begins at the I/O virtual address `base`. Its pages: admin submission queue, admin completion queue,
/// data of admin commands, I/O submission queue, I/O completion queue, and from 5 on data.
final class Driver {
  static let pages = 16
  static let entries: UInt32 = 16
  static let dataPage = 5

  let client: Client
  let ram: GuestRAM
  let base: UInt64
  private var tails: [UInt32] = [0, 0]
  private var heads: [UInt32] = [0, 0]
  private var phases = [true, true]
  private var nextIdentifier: UInt16 = 0

  /// A driver whose memory is mapped.
  init(_ client: Client, base: UInt64 = 0x10_0000) throws {
    self.client = client
    self.base = base
    ram = try GuestRAM(pages: Driver.pages)
    try client.map(base, ram.size, ram.descriptor)
  }

  /// Maps the driver's memory again, from another file where one is given, at the same addresses.
  func remap(_ descriptor: Int32? = nil) throws { try client.map(base, ram.size, descriptor ?? ram.descriptor) }

  /// Unmaps it.
  func unmap() throws { try client.unmap(base, ram.size) }

  /// A driver of a device that is enabled, with Bus Master on.
  static func enabled(_ client: Client) throws -> Driver {
    let driver = try Driver(client)
    try client.setBusMaster(true)
    try driver.enable()
    return driver
  }

  /// The I/O virtual address of a page.
  func address(_ page: Int) -> UInt64 { base + UInt64(page * GuestRAM.page) }

  // MARK: Registers

  func register(_ offset: UInt64) throws -> UInt32 {
    UInt32(truncatingIfNeeded: try client.read(Region.bar0, offset, 4))
  }

  func status() throws -> ControllerStatus {
    ControllerStatus(rawValue: try register(ControllerRegister.status))
  }

  /// Waits until CSTS is as told.
  func awaitStatus(_ condition: (ControllerStatus) -> Bool) throws -> Bool {
    let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
    while Clock.monotonic < deadline {
      if condition(try status()) { return true }
    }
    return false
  }

  /// Queue addresses and sizes, each 64-bit register in two halves, as QEMU delivers them.
  func setAdminQueues(submission: UInt64? = nil, completion: UInt64? = nil) throws {
    ram.fill(0, 0, 2 * GuestRAM.page)
    (tails, heads, phases) = ([0, 0], [0, 0], [true, true])
    let size = UInt64(Driver.entries - 1)
    try client.write(Region.bar0, ControllerRegister.adminQueueAttributes, size << 16 | size, 4)
    for (register, value) in [
      (ControllerRegister.adminSubmissionQueueBase, submission ?? address(0)),
      (ControllerRegister.adminCompletionQueueBase, completion ?? address(1)),
    ] {
      try client.write(Region.bar0, register, value & 0xffff_ffff, 4)
      try client.write(Region.bar0, register + 4, value >> 32, 4)
    }
  }

  /// Enables the controller.
  func enable() throws {
    try setAdminQueues()
    try client.write(Region.bar0, ControllerRegister.configuration, 0x46_0001, 4)
    guard try awaitStatus({ $0.rawValue == 1 }) else { throw Errno(rawValue: ETIMEDOUT) }
  }

  /// Disables the controller.
  func disable() throws {
    try client.write(Region.bar0, ControllerRegister.configuration, 0x46_0000, 4)
    guard try awaitStatus({ !$0.ready }) else { throw Errno(rawValue: ETIMEDOUT) }
  }

  // MARK: Commands

  /// Puts a command into a queue, 0 or 1, without ringing.
  @discardableResult
  func put(_ command: SubmissionQueueEntry, queue: Int = 0) -> UInt16 {
    var command = command
    command.commandIdentifier = nextIdentifier
    nextIdentifier &+= 1
    let offset = (queue == 0 ? 0 : 3) * GuestRAM.page + Int(tails[queue]) * SubmissionQueueEntry.byteCount
    withUnsafeBytes(of: command) { ram.store(Array($0), at: offset) }
    tails[queue] = (tails[queue] + 1) % Driver.entries
    return command.commandIdentifier
  }

  /// The tail of a queue.
  func tail(_ queue: Int = 0) -> UInt32 { tails[queue] }

  /// Rings the tail doorbell of a queue by message and waits for the reply.
  func ring(_ queue: Int = 0) throws {
    try client.write(Region.bar0, 0x1000 + UInt64(queue) * 8, UInt64(tails[queue]), 4)
  }

  /// The next completion of a queue, if it is there.
  func completion(_ queue: Int = 0) -> CompletionQueueEntry? {
    let offset = (queue == 0 ? 1 : 4) * GuestRAM.page + Int(heads[queue]) * CompletionQueueEntry.byteCount
    let isNew = ram.word(at: offset + 12).load() & 0x1_0000 != 0
    guard isNew == phases[queue] else { return nil }
    let entry = CompletionQueueEntry(ram.load(offset), ram.load(offset + 8))
    heads[queue] = (heads[queue] + 1) % Driver.entries
    if heads[queue] == 0 { phases[queue].toggle() }
    return entry
  }

  /// Waits for the next completion of a queue, and tells the device that it was taken.
  func awaitCompletion(_ queue: Int = 0) throws -> CompletionQueueEntry {
    let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
    while Clock.monotonic < deadline {
      if let entry = completion(queue) {
        try client.write(Region.bar0, 0x1004 + UInt64(queue) * 8, UInt64(heads[queue]), 4)
        return entry
      }
      // A message and its reply: as long as the server needs to do something else meanwhile.
      _ = try status()
    }
    throw Errno(rawValue: ETIMEDOUT)
  }

  /// Submits a command and waits for its completion.
  func execute(_ command: SubmissionQueueEntry, queue: Int = 0) throws -> CompletionQueueEntry {
    let identifier = put(command, queue: queue)
    try ring(queue)
    let entry = try awaitCompletion(queue)
    guard entry.commandIdentifier == identifier else { throw Errno.protocolError }
    return entry
  }

  /// Identify Controller to a data pointer, by default the page for data of admin commands.
  static func identify(prp1: UInt64, prp2: UInt64 = 0) -> SubmissionQueueEntry {
    SubmissionQueueEntry(cdw0: 0x06, namespaceIdentifier: 0, dataPointer0: prp1, dataPointer1: prp2, cdw10: 1)
  }

  /// Executes Identify Controller; whether the serial number arrived.
  func identifies() throws -> Bool {
    ram.fill(0xee, 2 * GuestRAM.page, GuestRAM.page)
    let entry = try execute(Driver.identify(prp1: address(2)))
    return entry.status == .success
      && ram.bytes(2 * GuestRAM.page + 4, 20) == Array("serial".utf8) + [UInt8](repeating: 0x20, count: 14)
  }

  /// Creates the I/O queue pair.
  ///
  /// - Parameter vector: of the completion queue; nil: without interrupts.
  func createQueues(vector: UInt16?) throws {
    ram.fill(0, 3 * GuestRAM.page, 2 * GuestRAM.page)
    (tails[1], heads[1], phases[1]) = (0, 0, true)
    let size = (Driver.entries - 1) << 16 | 1
    let interrupt = vector.map { UInt32($0) << 16 | 2 } ?? 0
    let completionQueue = SubmissionQueueEntry(
      cdw0: 0x05, namespaceIdentifier: 0, dataPointer0: address(4), cdw10: size, cdw11: interrupt | 1)
    let submissionQueue = SubmissionQueueEntry(
      cdw0: 0x01, namespaceIdentifier: 0, dataPointer0: address(3), cdw10: size, cdw11: 1 << 16 | 1)
    for command in [completionQueue, submissionQueue] {
      let status = try execute(command).status
      guard status == .success else { throw status }
    }
  }

  /// A read (02h) or write (01h) of one block of namespace 1.
  static func transfer(_ opcode: UInt8, block: UInt64, prp1: UInt64) -> SubmissionQueueEntry {
    SubmissionQueueEntry(
      cdw0: UInt32(opcode), namespaceIdentifier: 1, dataPointer0: prp1, cdw10: UInt32(truncatingIfNeeded: block),
      cdw11: UInt32(truncatingIfNeeded: block >> 32))
  }
}
