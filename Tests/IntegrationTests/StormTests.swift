import Testing

/// Many queues from many threads, whose doorbells, addresses and lives change all the time: `nvmed-bench storm`, which
/// ends with an error where a command is lost or executed twice.
@Suite struct StormTests {
  /// `NVMED_STORM_COMMANDS` in the environment asks for more of them.
  private static let commands = environment("NVMED_STORM_COMMANDS").flatMap { Int($0) } ?? 50_000

  @Test(
    arguments: [
      ["--memory", "32MiB", "--io-threads", "2"], ["--image", "--io-threads", "1"],
      ["--image", "--io-threads", "2", "--buffered"], ["--memory", "32MiB", "--doorbells", "poll"],
      ["--memory", "32MiB", "--io-threads", "2", "--shadow-doorbells", "on"],
    ]) func completesEveryCommandOnce(_ options: [String]) throws
  {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: 32 << 20)
    let daemon = try DaemonProcess(
      ["serve", "--socket-path", folder.file("socket")] + options.flatMap { $0 == "--image" ? [$0, image.path] : [$0] })
    try daemon.awaitReady()
    let storm = try DaemonProcess(
      [
        "storm", "--doorbells", options.contains("poll") ? "page" : "slots", "--socket", folder.file("socket"),
        "--commands", "\(StormTests.commands)", "--daemon", "\(daemon.pid)",
      ] + (options.contains("--shadow-doorbells") ? ["--shadow-doorbells"] : []), program: DaemonProcess.bench)
    let end = try storm.awaitEnd(seconds: patience + StormTests.commands / 1000)
    #expect(end == .exit(0), "\(storm.log.text)")
    // It did what it is for.
    #expect(storm.log.text.contains("65536 blocks read back"), "\(storm.log.text)")
    #expect(!storm.log.text.contains("moved 0 times") && !storm.log.text.contains(" 0 signals"), "\(storm.log.text)")
    try daemon.terminate()
  }
}
