import Testing

@testable import Daemon

@Suite struct ProcessorsCheckTests {
  @Test func countsThreadsAndCPUs() throws {
    #expect(try ProcessorsCheck(ioThreads: 4, available: 4).findings().only("limits.cpus").verdict == .ok)
    let crowded = try ProcessorsCheck(ioThreads: 5, available: 4).findings().only("limits.cpus")
    #expect(crowded.verdict == .limited)
    #expect(crowded.remedy?.hasPrefix("set io_threads = 4 at most") == true)
    #expect(try ProcessorsCheck(available: -1).findings().only("limits.cpus").verdict == .limited)
    // This process runs somewhere.
    #expect(ProcessorsCheck().available > 0)
  }

  @Test func placesThreadsToKnowWhetherTheyCanBe() throws {
    // The kernel has at most 8192 CPUs, and the set of CPUs holds 1024.
    let finding = try ProcessorsCheck(ioCPUs: [5000, -1]).findings().only("limits.io_cpus")
    #expect(finding.verdict == .missing)
    #expect(finding.reason.hasPrefix("no thread can be placed on CPU 5000, -1, and"))
    let possible = (0..<1024).filter { ProcessorsCheck.refused([$0]).isEmpty }
    #expect(!possible.isEmpty)
    #expect(try ProcessorsCheck(ioCPUs: Array(possible.prefix(1))).findings().only("limits.io_cpus").verdict == .ok)
  }
}

@Suite struct OpenFilesCheckTests {
  private static func check(_ controllers: Int, limit: UInt64?) -> OpenFilesCheck {
    var check = OpenFilesCheck(
      DaemonConfiguration(controllers: (0..<controllers).map { ControllerConfiguration(name: "\($0)") }))
    check.limit = limit
    return check
  }

  @Test func countsWhatControllersTake() throws {
    // 65 vectors, 4 doorbell events, 16 of its own, 64 of a message.
    let one = OpenFilesCheckTests.check(1, limit: 4096)
    #expect(one.neededByOne == 149)
    let finding = try one.findings().only("limits.open_files")
    #expect(finding.verdict == .ok)
    #expect(finding.reason.contains("about 27 fit; wanted: 1."))
  }

  @Test func saysWhatToRaiseTheLimitTo() throws {
    let finding = try OpenFilesCheckTests.check(8, limit: 1024).findings().only("limits.open_files")
    #expect(finding.verdict == .limited)
    #expect(finding.remedy == "LimitNOFILE=2536 in the systemd unit, or ulimit -Hn 2536")
    #expect(try OpenFilesCheckTests.check(8, limit: 0).findings().only("limits.open_files").verdict == .limited)
    #expect(try OpenFilesCheckTests.check(8, limit: .max).findings().only("limits.open_files").verdict == .ok)
    #expect(try OpenFilesCheckTests.check(8, limit: nil).findings().only("limits.open_files").verdict == .limited)
  }
}

@Suite struct MappingsCheckTests {
  @Test(arguments: [
    ("65530\n", Finding.Verdict.ok), ("1048576\n", .ok), ("65529\n", .limited), ("none\n", .limited),
  ])
  func comparesWithTheUsualLimit(_ text: String, _ verdict: Finding.Verdict) throws {
    let folder = try TestFolder()
    let finding = try MappingsCheck(limitPath: try folder.text("max_map_count", text)).findings().only(
      "limits.mappings")
    #expect(finding.verdict == verdict)
    #expect((finding.remedy == nil) == (verdict == .ok))
  }
}
