import Testing

/// A short `nvmed-bench soak`: guests that do everything at once, on a daemon that is changed meanwhile, with all data
/// verified; at the end nothing is left over.
@Suite struct SoakTests {
  /// `NVMED_SOAK_SECONDS` in the environment asks for a longer one.
  private static let seconds = environment("NVMED_SOAK_SECONDS").flatMap { Int($0) } ?? 12

  @Test func leavesNothing() throws {
    // On a machine that is slow some of them may take their time.
    let events = [
      "queues deleted", "memory unmapped", "resets by CC.EN", "abrupt disconnections", "reloads",
      "namespaces removed and added", "limits changed",
    ]
    let soak = try DaemonProcess(
      [
        "soak", "--nvmed", DaemonProcess.binary, "--seconds", "\(SoakTests.seconds)", "--reload-interval", "4",
        "--report-every", "4", "--allowance", "16384",
      ] + events.flatMap { ["--until", $0] }, program: DaemonProcess.bench)
    let end = try soak.awaitEnd(seconds: 4 * patience + 4 * SoakTests.seconds)
    #expect(end == .exit(0), "\(soak.log.text)")
    for event in events { #expect(soak.log.text.contains("\(event) "), "\(event): \(soak.log.text)") }
  }
}
