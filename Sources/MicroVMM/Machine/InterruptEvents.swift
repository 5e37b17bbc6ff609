import KVM
import LinuxIO

/// The eventfds that raise interrupts of the guest without this process: irqfds with a message each.
struct InterruptEvents: ~Copyable {
  /// The GSI of the first: the I/O APIC has those below.
  private static let firstGSI: UInt32 = 24

  /// The numbers of the eventfds, in the order of the vectors.
  let numbers: [Int32]
  private let events: FixedTable<EventFD?>

  /// Makes an eventfd for each vector of the CPU, and routes it.
  ///
  /// - Throws: what `VirtualMachine` throws.
  init(_ machine: borrowing VirtualMachine, _ vectors: [UInt8]) throws(Errno) {
    let routes = vectors.enumerated().map { index, vector in
      MSIRoute(gsi: InterruptEvents.firstGSI + UInt32(truncatingIfNeeded: index), vector: vector)
    }
    try machine.setRoutes(routes)
    var numbers: [Int32] = []
    var events = FixedTable<EventFD?>(count: routes.count) { _ in nil }
    for (index, route) in routes.enumerated() {
      let event = try EventFD()
      try machine.assign(event, gsi: route.gsi)
      numbers.append(event.rawValue)
      events[index] = consume event
    }
    self.numbers = numbers
    self.events = events
  }
}
