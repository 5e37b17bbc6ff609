import Glibc
import LinuxIO

#if canImport(KVM)
  import KVM
#endif

/// Whether guests run on KVM here. The daemon does without; the monitor is slow without.
struct KVMCheck: HostCheck {
  var devicePath = "/dev/kvm"

  func findings() -> [Finding] {
    #if canImport(KVM)
      let availability = KVMAvailability.check(devicePath: devicePath)
      let speed = availability == .available ? GuestSpeed.measure(devicePath: devicePath) : nil
      return [finding(of: availability, speed: speed)]
    #else
      do throws(Errno) {
        _ = try FileDescriptor(path: devicePath, flags: O_RDWR)
        return [finding(.ok, "\(devicePath) opens; whether guests run is not tried on this architecture.")]
      } catch { return [finding(without: error)] }
    #endif
  }

  #if canImport(KVM)
    func finding(of availability: KVMAvailability, speed: GuestSpeed? = nil) -> Finding {
      switch availability {
      case .available where speed?.isEmulated == true:
        finding(
          .limited,
          "a guest ran on \(devicePath), and KVM's emulator did each of its instructions (\(speed?.nanoseconds ?? 0) ns "
            + "each): that is slower than a monitor without KVM. nvmed itself needs none.",
          remedy:
            "let the monitor emulate (QEMU: -accel tcg), or find a host whose CPU runs guests; where this one is a "
            + "virtual machine itself, enable nested virtualization in the host of it")
      case .available:
        finding(.ok, "a guest ran on \(devicePath). Only the monitor needs KVM, nvmed itself does not.")
      case .unavailable(let error): finding(without: error)
      case .doesNotRunRealMode(let exit):
        finding(
          .limited, "\(devicePath) makes VMs, and does not run a guest of two instructions (\(exit)).",
          remedy: "look into dmesg; where this host is a virtual machine itself, enable nested virtualization in the "
            + "host of it")
      }
    }
  #endif

  func finding(without error: Errno) -> Finding {
    let consequence = "nvmed does not need it; monitors emulate guests without it, which is slow."
    switch error {
    case .noSuchFile:
      return finding(
        .limited, "there is no \(devicePath). \(consequence)",
        remedy:
          "modprobe kvm_amd or kvm_intel; enable virtualization in the firmware, or, where this host is a virtual "
          + "machine itself, nested virtualization in the host of it")
    case Errno(rawValue: ENODEV), Errno(rawValue: ENXIO):
      return finding(
        .limited, "nothing is behind \(devicePath) (\(error)). \(consequence)", remedy: "modprobe kvm_amd or kvm_intel")
    case .accessDenied, .notPermitted:
      return finding(
        .limited, "this user may not open \(devicePath) (\(error)). \(consequence)",
        remedy: "put the user that runs the monitor into the group of the device: usermod -aG kvm USER, then log in "
          + "again; in a container, hand the device in")
    case .busy:
      return finding(
        .limited, "another hypervisor has the CPU's virtualization (\(error)). \(consequence)",
        remedy: "end VirtualBox, VMware or whatever else runs guests without KVM")
    case .notATerminal, .invalidArgument, .notSupported:
      return finding(
        .limited, "\(devicePath) is not KVM's device (\(error)). \(consequence)",
        remedy: "remove it, and modprobe kvm_amd or kvm_intel")
    default:
      return finding(
        .limited, "\(devicePath) cannot be used: \(error). \(consequence)", remedy: "look into dmesg")
    }
  }

  private func finding(_ verdict: Finding.Verdict, _ reason: String, remedy: String? = nil) -> Finding {
    Finding("kvm.guests", "KVM", verdict, reason, remedy: remedy)
  }
}
