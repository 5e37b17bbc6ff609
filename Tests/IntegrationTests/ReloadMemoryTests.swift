import Glibc
import LinuxIO
import Testing

/// A daemon that reads its configuration again and again needs no more memory for it.
@Suite struct ReloadMemoryTests {
  /// Pages of the process that are in memory, in KiB.
  private func residentKiB(_ pid: pid_t) throws -> Int {
    let file = try FileDescriptor(path: "/proc/\(pid)/statm", flags: O_RDONLY)
    var text = [UInt8](repeating: 0, count: 256)
    let count = read(file.rawValue, &text, text.count)
    let fields = String(decoding: text.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
    return try #require(fields.count > 1 ? Int(fields[1]) : nil) * sysconf(Int32(_SC_PAGESIZE)) / 1024
  }

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
    let before = try residentKiB(reloaded.daemon.pid)
    try reload(300)
    let after = try residentKiB(reloaded.daemon.pid)
    #expect(after - before <= 128, "\(before) KiB, then \(after) KiB")
    try reloaded.daemon.terminate()
  }
}
