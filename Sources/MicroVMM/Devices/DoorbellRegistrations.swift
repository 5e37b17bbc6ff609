import KVM
import LinuxIO

/// Which doorbells KVM has with POST_WRITE, and where: they follow BAR0.
///
/// They are taken back before BAR0 is elsewhere. Nothing is lost by that: what KVM stored is stored and signalled, on the
/// vCPU's own thread, and what the guest writes from then on comes to the VMM.
struct DoorbellRegistrations {
  /// Where BAR0 is in the guest while they are registered; nil: none is.
  private(set) var address: UInt64?
  /// How many were registered at most.
  private(set) var mostRegistered = 0

  /// Registers every doorbell at BAR0's address, in place of where they are.
  ///
  /// - Parameters:
  ///   - address: where BAR0 is; nil: the guest cannot reach it.
  ///   - slots: the same ones on every call.
  /// - Throws: what `VirtualMachine.assign` and `deassign` throw; none is registered then.
  mutating func move(
    to address: UInt64?, slots: borrowing DoorbellSlots, _ machine: borrowing VirtualMachine
  ) throws(Errno) {
    guard address != self.address else { return }
    if let old = self.address {
      self.address = nil
      for doorbell in slots.doorbells.values {
        try machine.deassign(DoorbellRegistrations.registration(doorbell, at: old))
      }
    }
    guard let address else { return }
    var registered: [IOEventFD] = []
    do throws(Errno) {
      for doorbell in slots.doorbells.values {
        let registration = DoorbellRegistrations.registration(doorbell, at: address)
        try machine.assign(registration)
        registered.append(registration)
      }
    } catch {
      for registration in registered { try? machine.deassign(registration) }
      throw error
    }
    self.address = address
    mostRegistered = max(mostRegistered, registered.count)
  }

  private static func registration(_ doorbell: DoorbellSlots.Doorbell, at address: UInt64) -> IOEventFD {
    IOEventFD(
      address: address &+ doorbell.offset, length: UInt32(DoorbellSlots.width), event: doorbell.event,
      postAddress: doorbell.slotAddress)
  }
}
