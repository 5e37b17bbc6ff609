import BPF
import Doorbells
import LinuxIO
import Testing

@testable import Daemon

@Suite struct EBPFCheckTests {
  @Test func comesToAResult() throws {
    #expect(try EBPFCheck().findings().only("kvm.ebpf").verdict != .missing)
  }

  @Test(
    arguments: [
      (nil, Finding.Verdict.ok, nil), (.noTracepoint, .limited, "load the module kvm"),
      (.notPermitted(.program(.notPermitted)), .limited, "CAP_BPF and CAP_PERFMON"),
      (.refused(.map(.invalidArgument)), .limited, "Linux 5.10"),
      (.pidNamespace, .limited, "PID namespace of the host"),
      (.realTimeKernel, .limited, "another kernel"),
    ] as [(DoorbellTracerError?, Finding.Verdict, String?)])
  func saysWhatToDo(_ error: DoorbellTracerError?, _ verdict: Finding.Verdict, _ remedy: String?) {
    let finding = EBPFCheck().finding(of: error)
    #expect(finding.verdict == verdict)
    #expect((finding.remedy == nil) == (remedy == nil))
    if let remedy { #expect(finding.remedy?.contains(remedy) == true) }
    // What a configuration insists on is missing.
    #expect(EBPFCheck(isRequired: true).finding(of: error).verdict == (error == nil ? .ok : .missing))
  }

  @Test func keepsTheVerifiersLogToItself() {
    let finding = EBPFCheck().finding(of: .refused(.rejected(.invalidArgument, log: "0: R1=ctx\n1: error")))
    #expect(finding.reason == "the kernel's verifier refuses the BPF program (Invalid argument).")
  }
}
