import KVM
import LinuxIO

/// The doorbells that KVM takes, and where: they follow BAR0.
///
/// They are taken back before BAR0 is elsewhere. Nothing is lost by that: what KVM stored is stored and signalled, on the
/// vCPU's own thread, and what the guest writes from then on comes to the VMM.
struct DoorbellRegistrations {
  /// The doorbells; each address is an offset in BAR0.
  private let doorbells: [IOEventFD]
  /// Where BAR0 is in the guest while they are registered; nil: none is.
  private(set) var address: UInt64?
  /// How many were registered at most.
  private(set) var mostRegistered = 0

  /// Doorbells, of which none is registered yet.
  ///
  /// - Parameter doorbells: each address is an offset in BAR0. Their eventfds and slots must outlive the registrations.
  init(_ doorbells: [IOEventFD]) { self.doorbells = doorbells }

  /// Registers every doorbell at BAR0's address, in place of where they are.
  ///
  /// - Parameter address: where BAR0 is; nil: the guest cannot reach it.
  /// - Throws: what `VirtualMachine.assign` and `deassign` throw; none is registered then.
  mutating func move(to address: UInt64?, _ machine: borrowing VirtualMachine) throws(Errno) {
    guard address != self.address else { return }
    if let old = self.address {
      self.address = nil
      for doorbell in doorbells { try machine.deassign(doorbell.moved(by: old)) }
    }
    guard let address else { return }
    for (index, doorbell) in doorbells.enumerated() {
      do throws(Errno) { try machine.assign(doorbell.moved(by: address)) } catch {
        for doorbell in doorbells.prefix(index) { try? machine.deassign(doorbell.moved(by: address)) }
        throw error
      }
    }
    self.address = address
    mostRegistered = max(mostRegistered, doorbells.count)
  }
}

extension IOEventFD {
  /// The same write at an address that is higher by `distance`.
  fileprivate func moved(by distance: UInt64) -> IOEventFD {
    var moved = self
    moved.address = address &+ distance
    return moved
  }
}

extension OfferedDoorbells {
  /// What KVM is given on a path; each address is an offset in BAR0.
  func events(_ path: DoorbellPath) -> [IOEventFD] {
    let length = UInt32(OfferedDoorbells.width)
    let signalled = plain.map { offset, event in IOEventFD(address: offset, length: length, event: event) }
    return switch path {
    case .postWrite:
      signalled
        + doorbells.values.map { doorbell in
          IOEventFD(
            address: doorbell.offset, length: length, event: doorbell.event, postAddress: doorbell.slotAddress)
        }
    case .ioeventfd: signalled
    case .messageWithReply, .postedMessage, .softwarePost: []
    }
  }
}
