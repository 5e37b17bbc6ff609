import Glibc
import LinuxIO
import Testing

@testable import Benchmarking

@Suite struct ProcessUsageTests {
  @Test func readsNumbers() {
    let fields = ProcessFile.fields(
      "Rss:                1234 kB\nName:\tx\nvoluntary_ctxt_switches:\t7\nRss: 5 kB\nno colon\nEmpty:\n")
    #expect(fields == ["Rss": 1234, "voluntary_ctxt_switches": 7])
  }

  @Test func countsCPUTime() throws {
    let before = try ProcessUsage(process: getpid())
    let end = Clock.threadCPU + 20_000_000
    while Clock.threadCPU < end {}
    let after = try ProcessUsage(process: getpid())
    #expect(after.cpuTime >= before.cpuTime + 20_000_000)
    #expect(after.switches >= before.switches)
  }

  /// A thread that sleeps so many times gives its CPU up at least as often.
  @Test func countsSwitches() throws {
    let before = try ProcessUsage(process: getpid())
    for _ in 0..<50 { usleep(100) }
    #expect(try ProcessUsage(process: getpid()).voluntarySwitches >= before.voluntarySwitches + 50)
  }

  /// Who waits for something sleeps; who asks does not.
  @Test func tellsWhoSleeps() throws {
    #expect(try !ProcessUsage(process: getpid()).isAsleep)
    var child: pid_t = 0
    let words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sleep"), strdup("1000")]
    defer { words.forEach { free($0) } }
    let result = posix_spawn(&child, "/bin/sleep", nil, nil, words + [nil], environ)
    try #require(result == 0)
    defer {
      kill(child, SIGKILL)
      waitpid(child, nil, 0)
    }
    let deadline = Clock.monotonic + 120_000_000_000
    while try !ProcessUsage(process: child).isAsleep, Clock.monotonic < deadline { sched_yield() }
    #expect(try ProcessUsage(process: child).isAsleep)
  }

  @Test func measuresMemory() throws {
    let before = try ProcessFootprint(process: getpid())
    let memory = try MemoryMapping(anonymous: 64 << 20)
    for offset in stride(from: 0, to: 64 << 20, by: 4096) {
      memory.base.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
    }
    let after = try ProcessFootprint(process: getpid())
    // (other tests give memory back meanwhile)
    #expect(after.residentBytes > before.residentBytes + (32 << 20))
    #expect(after.anonymousBytes > before.anonymousBytes + (32 << 20))
    #expect(after.proportionalBytes <= after.residentBytes)
    #expect(after.threads >= 1)
    #expect(after.descriptors >= 3)
    #expect(after.mappings > 10)
    withExtendedLifetime(memory) {}
  }

  @Test func saysThatThereIsNoProcess() {
    #expect(throws: Errno.self) { _ = try ProcessUsage(process: 0x7fff_fff0) }
    #expect(throws: Errno.self) { _ = try ProcessFootprint(process: 0x7fff_fff0) }
  }
}
