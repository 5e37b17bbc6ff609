import KVM
import LinuxIO
import Testing

@testable import MicroVMM

@Suite struct LinuxReportTests {
  private static func report(_ ending: LinuxReport.Ending, status: UInt8?) -> LinuxReport {
    var report = LinuxReport(ending: ending, doorbells: .postWrite)
    report.status = status
    return report
  }

  @Test(
    arguments: [
      (.powerOff, nil, 0), (.powerOff, 3, 3), (.reset, 0, 0), (.reset, nil, 125), (.deadline, 0, 124),
      (.unexpected(.halt), 0, 126), (.failed(.step(.device, .connectionReset)), nil, 126),
    ] as [(LinuxReport.Ending, UInt8?, UInt8)])
  func exitStatus(ending: LinuxReport.Ending, status: UInt8?, expected: UInt8) {
    #expect(Self.report(ending, status: status).exitStatus == expected)
  }

  @Test func linesForScripts() {
    var report = Self.report(.powerOff, status: 0)
    report.registeredDoorbells = 6
    report.exits.function.registers.storedDoorbells = 2
    report.exits.function.registers.doorbellsWithReply = 1
    report.exits.function.registers.reads = 7
    #expect(
      Array(report.lines.prefix(9)) == [
        "end power-off", "status 0", "doorbell path post-write", "doorbells registered 6", "doorbell exits 3",
        "doorbell exits by message 1", "doorbell exits by posted message 0", "doorbell exits stored 2",
        "register reads 7",
      ])
    #expect(
      Self.report(.failed(.image(.notELF)), status: nil).lines.first?.hasPrefix("end failed the kernel is") == true)
    #expect(Self.report(.reset, status: nil).lines[1] == "status none")
  }
}
