import Testing

/// A daemon that reads its configuration again and again needs no more memory for it.
@Suite struct ReloadMemoryTests {
  /// Reloads of a file that says the same, of one that changes a limit, and of ones that are refused: as no TOML, and as
  /// no configuration. What each of them would keep if nothing of it were given back is a multiple of the bound.
  @Test func threeHundredReloads() throws {
    let folder = try TestFolder()
    for image in ["x.img", "y.img"] { _ = try folder.image(image, byteCount: 1 << 20) }
    let same = ReloadedDaemon.controller("a") + ReloadedDaemon.namespace("x.img") + ReloadedDaemon.namespace("y.img")
    let texts: [(text: String, isTaken: Bool)] = [
      (same, true),
      (same.replacing("post_write", with: "iops_limit = 5000\npost_write"), true),
      (same + "[daemon]\nio_threads = [1, 2", false),
      (same + "[daemon]\nio_threads = 100\ncolour = 'red'\n", false),
    ]
    let reloaded = try ReloadedDaemon(folder, same)
    func reload(_ count: Int) throws {
      for number in 0..<count {
        let (text, isTaken) = texts[number % texts.count]
        #expect(try reloaded.reload(text) == isTaken)
      }
    }
    // What is made once, and kept, is there after some.
    try reload(60)
    let before = try ProcessStatistics(reloaded.daemon).anonymous
    try reload(300)
    let after = try ProcessStatistics(reloaded.daemon).anonymous
    #expect(after - before <= 128, "\(before) KiB, then \(after) KiB")
    try reloaded.daemon.terminate()
  }
}
