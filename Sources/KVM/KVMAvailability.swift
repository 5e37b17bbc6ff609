import LinuxIO

/// Whether guests of this room can run here.
public enum KVMAvailability: Equatable, Sendable, CustomStringConvertible {
  /// They run.
  case available
  /// `/dev/kvm` cannot be used.
  case unavailable(Errno)
  /// A guest of three instructions did not do what it must.
  case doesNotRunRealMode(VCPUExit)

  /// Lets a guest write to a device and halt.
  ///
  /// - Parameter devicePath: the device that VMs are made from.
  public static func check(devicePath: String = KVMSystem.defaultPath) -> KVMAvailability {
    do throws(Errno) {
      let result = try GuestThread.run(deadline: 5000) { kick in check(devicePath, kick) }
      return result
    } catch { return .unavailable(error) }
  }

  private static func check(_ devicePath: String, _ kick: VCPUKick) -> KVMAvailability {
    do throws(Errno) {
      var guest = try SmallGuest(devicePath: devicePath) {
        $0.mov(.fs(0x10), 0x1234_5678)
        $0.hlt()
      }
      let write = try guest.run(kick)
      guard write == .mmioWrite(address: SmallGuest.deviceAddress + 0x10, count: 4, value: 0x1234_5678) else {
        return .doesNotRunRealMode(write)
      }
      let halt = try guest.run(kick)
      return halt == .halt ? .available : .doesNotRunRealMode(halt)
    } catch { return .unavailable(error) }
  }

  /// A sentence for people.
  public var description: String {
    switch self {
    case .available: "KVM runs real-mode guests"
    case .unavailable(let error): "/dev/kvm cannot be used: \(error)"
    case .doesNotRunRealMode(let exit): "KVM does not run real-mode guests: \(exit)"
    }
  }
}
