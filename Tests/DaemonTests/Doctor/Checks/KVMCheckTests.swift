import Glibc
import LinuxIO
import Testing

@testable import Daemon

#if canImport(KVM)
  import KVM
#endif

@Suite struct KVMCheckTests {
  @Test func saysThatThereIsNone() throws {
    let folder = try TestFolder()
    let finding = try KVMCheck(devicePath: folder.file("kvm")).findings().only("kvm.guests")
    #expect(finding.verdict == .limited)
    #expect(finding.reason.hasPrefix("there is no \(folder.file("kvm"))."))
    #expect(finding.reason.contains("nvmed does not need it"))
    #expect(finding.remedy?.contains("modprobe kvm_") == true)
    let postWrite = try PostWriteCheck(devicePath: folder.file("kvm")).findings().only("kvm.post_write")
    #expect(postWrite.verdict == .limited)
  }

  #if canImport(KVM)
    @Test func saysThatAFileIsNoDevice() throws {
      let folder = try TestFolder()
      let path = try folder.text("kvm", "")
      let finding = try KVMCheck(devicePath: path).findings().only("kvm.guests")
      #expect(finding.verdict == .limited)
      #expect(finding.reason.hasPrefix("\(path) is not KVM's device"))
      let postWrite = try PostWriteCheck(devicePath: path).findings().only("kvm.post_write")
      #expect(postWrite.reason.contains("cannot be tried without KVM"))
    }

    @Test(
      arguments: [
        (KVMAvailability.available, Finding.Verdict.ok, "a guest ran", nil),
        (.unavailable(.accessDenied), .limited, "may not open", "usermod -aG kvm"),
        (.unavailable(Errno(rawValue: ENODEV)), .limited, "nothing is behind", "modprobe"),
        (.unavailable(.busy), .limited, "another hypervisor", "VirtualBox"),
        (.unavailable(.inputOutput), .limited, "Input/output error", "dmesg"),
        (.doesNotRunRealMode(.shutdown), .limited, "does not run a guest", "nested virtualization"),
      ] as [(KVMAvailability, Finding.Verdict, String, String?)])
    func hasWordsForEverything(
      _ availability: KVMAvailability, _ verdict: Finding.Verdict, _ reason: String, _ remedy: String?
    ) {
      let finding = KVMCheck().finding(of: availability)
      #expect(finding.verdict == verdict)
      #expect(finding.reason.contains(reason))
      #expect((finding.remedy == nil) == (remedy == nil))
      if let remedy { #expect(finding.remedy?.contains(remedy) == true) }
    }

    @Test func saysThatGuestsAreEmulated() {
      let slow = KVMCheck().finding(of: .available, speed: GuestSpeed(nanoseconds: 1300))
      #expect(slow.verdict == .limited)
      #expect(slow.reason.contains("(1300 ns each)"))
      #expect(KVMCheck().finding(of: .available, speed: GuestSpeed(nanoseconds: 1)).verdict == .ok)
      #expect(KVMCheck().finding(of: .available, speed: nil).verdict == .ok)
    }

    @Test(
      arguments: [
        (PostWriteSupport.supported, Finding.Verdict.ok, "its value was in memory with the signal"),
        (.refused(.invalidArgument), .limited, "refuses the flag (Invalid argument)"),
        (.acceptsMisuse(.anyLength), .limited, "is something else in this kernel: it accepts anyLength"),
        (.doesNotPost(exit: .halt, signals: 1, value: 2), .limited, "1 signals, value 2"),
        (.noVirtualMachine(.accessDenied), .limited, "cannot be tried without KVM (Permission denied)"),
      ] as [(PostWriteSupport, Finding.Verdict, String)])
    func saysWhatBecomesOfDoorbells(_ support: PostWriteSupport, _ verdict: Finding.Verdict, _ reason: String) {
      let finding = PostWriteCheck().finding(of: support)
      #expect(finding.verdict == verdict)
      #expect(finding.reason.contains(reason))
      #expect((finding.remedy == nil) == (verdict == .ok))
    }
  #endif
}
