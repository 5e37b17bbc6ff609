import VFIOUser

/// What a host is like: how it introduces itself, rings doorbells and takes interrupts.
public struct HostOptions: Sendable {
  /// What it says about itself with VERSION; nil: nothing, as SPDK's host. `maxMessageFDs` bounds the ioeventfds that it
  /// is offered.
  public var capabilities: Capabilities? = .server
  /// The minor version it asks for: QEMU 0, cloud-hypervisor 1.
  public var minorVersion = Session.highestMinor
  /// How long the reply to a message is awaited, in ms. QEMU waits 5 s.
  public var messageTimeout: Int32 = 120_000
  /// How long a completion is awaited, in ns.
  public var commandTimeout: UInt64 = 120_000_000_000
  /// How long a shutdown is awaited at least, in ns: Linux's time-out. Longer where the machine is slow.
  public var shutdownTimeout: UInt64 = 5_000_000_000
  /// Whether all of the memory is mapped for the device at once, before anything is asked, as QEMU does.
  public var mapsMemory = true
  /// How doorbells are rung.
  public var doorbells = DoorbellMechanism.slots
  /// Whether doorbells of I/O queues are kept in memory where the controller allows it (Doorbell Buffer Config).
  public var shadowDoorbells = false
  /// How many MSI-X vectors are used, from 0 on: 0 for the admin queue. None: completions are polled.
  public var vectors = 0
  /// Entries of both admin queues, 2 to 4096.
  public var adminQueueSize = 32
  /// Whether 64-bit registers are accessed as two halves, the lower one first, as Linux does.
  public var splitsRegisters = true
  /// Whether writes to registers wait for no reply, as QEMU's.
  public var postsRegisterWrites = false

  /// A host with ioeventfds that polls for completions.
  public init() {}

  /// A host with the mechanism and the number of MSI-X vectors given.
  public init(doorbells: DoorbellMechanism, vectors: Int = 0) {
    self.doorbells = doorbells
    self.vectors = vectors
  }
}
