import BPF
import Glibc
import LinuxIO
import Testing

@testable import Benchmarking

/// Why calls cannot be counted here: tests that need it are skipped with this as the reason. Nil where they can.
private let refusal: SystemCallCounter.Failure? = {
  do throws(SystemCallCounter.Failure) {
    _ = try SystemCallCounter(process: getpid())
    return nil
  } catch { return error }
}()

@Suite(.serialized) struct SystemCallCounterTests {
  /// getpgid(2), which nobody else here calls.
  private let number = SystemCallCounterTests.getpgidNumber
  #if arch(x86_64)
    private static let getpgidNumber = 121
  #else
    private static let getpgidNumber = 155
  #endif

  @Test(.disabled(if: refusal != nil, "\(refusal.map(\.description) ?? "")"))
  func countsEveryCall() throws {
    let counter = try SystemCallCounter(process: getpid())
    let before = counter.counts()[number] ?? 0
    for _ in 0..<1000 { _ = getpgid(0) }
    #expect((counter.counts()[number] ?? 0) - before == 1000)
  }

  /// Calls of others are not counted: those of the first process of the machine here, which does nothing like it.
  @Test(.disabled(if: refusal != nil, "\(refusal.map(\.description) ?? "")"))
  func leavesOthersOut() throws {
    let counter = try SystemCallCounter(process: 1)
    for _ in 0..<100 { _ = getpgid(0) }
    #expect(counter.counts()[number] == nil)
  }

  @Test func writesProgramsForAnyProcess() throws {
    let program = try SystemCallCounter.instructions(process: 1234, map: 5)
    // The process in a comparison of 32 bits, and 1 added to 8 bytes.
    #expect(program.contains { $0.opcode == 0x56 && $0.immediate == 1234 })
    #expect(program.contains { $0.opcode == 0xdb && $0.source == BPFRegister.r2.rawValue })
    #expect(program.last == .exit)
  }

  @Test func namesCalls() {
    #expect(SystemCallName.of(511) == "call 511")
    #expect(SystemCallName.of(441) == "epoll_pwait2")
  }
}
