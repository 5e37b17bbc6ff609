import CLinux
import LinuxIO

/// Whether this kernel's KVM stores the value of a doorbell before it signals (`KVM_IOEVENTFD_FLAG_POST_WRITE`).
///
/// The flag has no capability number that can be believed: the one of the posted patch belongs to something else in
/// released kernels. So it is tried out on a VM that is thrown away: a kernel without the flag refuses it; one that uses
/// the bit for something else does not refuse the addresses that POST_WRITE must refuse; and then a guest rings once.
public enum PostWriteSupport: Equatable, Sendable, CustomStringConvertible {
  /// Something that POST_WRITE must refuse with `EINVAL`.
  public enum Misuse: CaseIterable, Sendable {
    /// A `post_addr` of 0.
    case nullAddress
    /// A `post_addr` that is no address of user space.
    case kernelAddress
    /// Writes of any length, whose value KVM does not know.
    case anyLength
  }

  /// It works.
  case supported
  /// A VM cannot be made at all.
  case noVirtualMachine(Errno)
  /// The flag is refused: `EINVAL` where the kernel does not know it.
  case refused(Errno)
  /// Bit 5 is something else here.
  case acceptsMisuse(Misuse)
  /// A guest's write did not do what it must.
  case doesNotPost(exit: VCPUExit, signals: UInt64, value: UInt32)

  /// Finds out. Takes less than 1 ms where the kernel does not know the flag.
  ///
  /// - Parameter devicePath: the device that VMs are made from.
  public static func probe(devicePath: String = KVMSystem.defaultPath) -> PostWriteSupport {
    do throws(Errno) {
      return try GuestThread.run(deadline: 5000) { kick in probe(devicePath, kick) }
    } catch { return .noVirtualMachine(error) }
  }

  private static let value: UInt32 = 0xA5C3_1F07

  private static func probe(_ devicePath: String, _ kick: VCPUKick) -> PostWriteSupport {
    do throws(Errno) {
      let slot = try MemoryMapping(anonymous: 4096)
      let event = try EventFD()
      var guest = try SmallGuest(devicePath: devicePath) {
        $0.mov(.fs(0), value)
        $0.hlt()
      }
      let good = IOEventFD(
        address: SmallGuest.deviceAddress, length: 4, event: event.rawValue,
        postAddress: UInt64(UInt(bitPattern: unsafe slot.base)))
      do throws(Errno) { try guest.machine.assign(good) } catch { return .refused(error) }
      for misuse in Misuse.allCases where !refuses(guest.machine, misuse.applied(to: good)) {
        return .acceptsMisuse(misuse)
      }
      let exit = try guest.run(kick)
      let signals = event.drain()
      let stored = unsafe slot.base.load(as: UInt32.self)
      guard exit == .halt, signals == 1, stored == value else {
        return .doesNotPost(exit: exit, signals: signals, value: stored)
      }
      return .supported
    } catch { return .noVirtualMachine(error) }
  }

  private static func refuses(_ machine: borrowing VirtualMachine, _ event: IOEventFD) -> Bool {
    do throws(Errno) {
      try machine.assign(event)
      return false
    } catch { return error == .invalidArgument }
  }

  /// A sentence for people.
  public var description: String {
    switch self {
    case .supported: "KVM_IOEVENTFD POST_WRITE works"
    case .noVirtualMachine(let error): "KVM_IOEVENTFD POST_WRITE cannot be tried: \(error)"
    case .refused(let error): "KVM_IOEVENTFD refuses POST_WRITE: \(error)"
    case .acceptsMisuse(let misuse): "bit 5 of KVM_IOEVENTFD is not POST_WRITE here: it accepts \(misuse)"
    case .doesNotPost(let exit, let signals, let value):
      "POST_WRITE is accepted and does not work: \(exit), \(signals) signals, value \(value)"
    }
  }
}

extension PostWriteSupport.Misuse {
  /// The registration with this fault, at another address, so that it collides with nothing.
  fileprivate func applied(to event: IOEventFD) -> IOEventFD {
    var event = event
    event.address += 0x100
    switch self {
    case .nullAddress: event.postAddress = 0
    case .kernelAddress: event.postAddress = 0xFFFF_8000_0000_0000
    case .anyLength: event.length = 0
    }
    return event
  }
}
