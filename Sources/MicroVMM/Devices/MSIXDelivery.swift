import KVM
import LinuxIO
import VFIOUser

/// Turns what the MSI-X table says into interrupts: an eventfd for each vector, which the server signals and KVM takes.
///
/// As QEMU does, the server gets a vector's eventfd when the guest first lets the vector send. While it is masked again,
/// KVM does not take the eventfd: its counter is the pending bit, and raises the interrupt when the vector is unmasked.
struct MSIXDelivery: ~Copyable {
  private struct Vector {
    /// What KVM sends now; nil: nothing, the vector is masked.
    var message: MSIXTable.Message?
    /// Whether the server has the eventfd.
    var isInstalled = false
  }

  /// The GSI of vector 0: those below are pins.
  private static let firstGSI: UInt32 = 24

  private var vectors: [Vector]
  /// Made when they are first needed.
  private var events: FixedTable<EventFD?>

  /// No interrupts yet.
  init(vectorCount: Int) {
    vectors = Array(repeating: Vector(), count: vectorCount)
    events = FixedTable(count: vectorCount) { _ in nil }
  }

  /// How many vectors the server can signal now.
  var installedCount: Int { vectors.count { $0.isInstalled } }

  /// Does what has changed in the table.
  ///
  /// - Parameters:
  ///   - table: the table as it is now.
  ///   - changed: the vectors that may have changed.
  /// - Throws: what KVM and the server throw.
  mutating func update(
    _ table: MSIXTable, _ changed: Range<Int>, _ machine: borrowing VirtualMachine, _ client: inout ClientConnection
  ) throws(Errno) {
    for index in changed.clamped(to: vectors.indices) {
      let message = table.message(index)
      let before = vectors[index].message
      guard message != before else { continue }
      if events[index] == nil { events[index] = try EventFD() }
      vectors[index].message = message
      if message != nil { try machine.setRoutes(routes, pins: true) }
      if (before != nil) != (message != nil) { try connect(index, message != nil, machine, &client) }
    }
    if !table.isEnabled, installedCount > 0 {
      try client.setIRQs(.disable(.msix))
      for index in vectors.indices {
        vectors[index].isInstalled = false
        // What nobody waits for any more must not interrupt the next driver.
        if let number = events[index]?.rawValue { EventFD.drain(rawValue: number) }
      }
    }
  }

  /// Whether a signal of the vector waits, as it is masked.
  func isPending(_ index: Int) -> Bool {
    guard vectors.indices.contains(index), vectors[index].message == nil else { return false }
    // A look that takes nothing away.
    return events[index]?.wait(timeout: 0) ?? false
  }

  /// Lets KVM take a vector's eventfd, or leave it alone; and hands it to the server where that does not have it.
  private mutating func connect(
    _ index: Int, _ isConnected: Bool, _ machine: borrowing VirtualMachine, _ client: inout ClientConnection
  ) throws(Errno) {
    let gsi = MSIXDelivery.firstGSI + UInt32(truncatingIfNeeded: index)
    guard let number = events[index]?.rawValue else { return }
    guard isConnected else { return try machine.deassign(eventNumber: number, gsi: gsi) }
    // A signal from before is given once more: KVM raises its interrupt, but would leave the count in the eventfd.
    let wasPending = EventFD.drain(rawValue: number) > 0
    try machine.assign(eventNumber: number, gsi: gsi)
    if wasPending { EventFD.signal(rawValue: number) }
    guard !vectors[index].isInstalled else { return }
    let set = SetIRQs(
      index: .msix, start: UInt32(truncatingIfNeeded: index), count: 1, action: .trigger, data: .eventFDs(1))
    try client.setIRQs(set, descriptors: [number])
    vectors[index].isInstalled = true
  }

  private var routes: [MSIRoute] {
    vectors.enumerated().compactMap { index, vector in
      vector.message.map { message in
        MSIRoute(
          gsi: MSIXDelivery.firstGSI + UInt32(truncatingIfNeeded: index), address: message.address, data: message.data)
      }
    }
  }
}
