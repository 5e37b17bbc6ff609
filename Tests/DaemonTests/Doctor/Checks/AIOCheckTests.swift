import Testing

@testable import Daemon

@Suite struct AIOCheckTests {
  private func budget(used: String, limit: String, ioThreads: Int) throws -> Finding {
    let folder = try TestFolder()
    try folder.text("aio-nr", used)
    try folder.text("aio-max-nr", limit)
    return try AIOCheck(ioThreads: ioThreads, limitsFolder: folder.path).findings().only("aio.budget")
  }

  @Test func aReadGoesThroughTheKernel() throws {
    let findings = AIOCheck(requests: 16).findings()
    #expect(try findings.only("aio.setup").verdict == .ok)
    #expect(try findings.only("aio.completions").verdict != .missing)
  }

  @Test func saysHowManyThreadsFit() throws {
    let finding = try budget(used: "1000\n", limit: "65536\n", ioThreads: 63)
    #expect(finding.verdict == .ok)
    #expect(finding.reason.contains("Threads that fit: 63; wanted: 63."))
  }

  @Test(arguments: [
    ("1000", "65536", 64, "sysctl fs.aio-max-nr=262144"), ("65536", "65536", 1, "sysctl fs.aio-max-nr=131072"),
    // What is taken may be above a limit that was lowered since.
    ("65536", "1024", 1, "sysctl fs.aio-max-nr=131072"), ("0", "0", 1, "sysctl fs.aio-max-nr=131072"),
  ])
  func saysWhatToRaiseTheLimitTo(_ used: String, _ limit: String, _ ioThreads: Int, _ remedy: String) throws {
    let finding = try budget(used: used, limit: limit, ioThreads: ioThreads)
    #expect(finding.verdict == .limited)
    #expect(finding.remedy?.hasPrefix(remedy + ";") == true, "\(finding)")
  }

  @Test func saysThatTheBudgetIsNotTold() throws {
    let folder = try TestFolder()
    #expect(try AIOCheck(limitsFolder: folder.path).findings().only("aio.budget").verdict == .limited)
    try folder.text("aio-nr", "none\n")
    try folder.text("aio-max-nr", "65536\n")
    #expect(try AIOCheck(limitsFolder: folder.path).findings().only("aio.budget").verdict == .limited)
  }

  @Test func ringsOfAnotherLayoutAreNoHindrance() {
    #expect(AIOCheck().completions(readsRing: true).verdict == .ok)
    #expect(AIOCheck().completions(readsRing: false).verdict == .limited)
  }
}
