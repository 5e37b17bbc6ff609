import CLinux
import Glibc
import Testing

@testable import Sandbox

@Suite struct FilterAssemblerTests {
  private static let refusal = FilterAction.fail(EPERM)

  private func answer(_ rules: [SystemCallRule], _ input: FilterInput) throws -> UInt32 {
    try runFilter(FilterAssembler(rules: rules, refusal: Self.refusal).instructions, to: input)
  }

  @Test func allowsWhatIsListed() throws {
    let rules = [SystemCallRule(7), SystemCallRule(9)]
    for (number, action) in [(7, FilterAction.allow), (9, .allow), (0, Self.refusal), (8, Self.refusal)] {
      #expect(try answer(rules, FilterInput(Int32(number))) == action.rawValue, "\(number)")
    }
    #expect(try answer([], FilterInput(7)) == Self.refusal.rawValue)
  }

  @Test func killsOtherArchitectures() throws {
    var input = FilterInput(7)
    input.architecture ^= 1
    #expect(try answer([SystemCallRule(7)], input) == FilterAction.killProcess.rawValue)
    #if arch(x86_64)
      // x32: the same architecture, other calls.
      let foreign = FilterInput(Int32(0x4000_0007))
      #expect(try answer([SystemCallRule(7)], foreign) == FilterAction.killProcess.rawValue)
    #endif
  }

  @Test(arguments: [(1, true), (5, true), (9, true), (0, false), (2, false), (10, false), (1 << 32 | 5, true)])
  func testsForValues(_ value: Int, _ isAllowed: Bool) throws {
    let rules = [SystemCallRule(3), SystemCallRule(7, [.isOne(of: [1, 5, 9], argument: 2)]), SystemCallRule(8)]
    let expected = isAllowed ? FilterAction.allow : Self.refusal
    #expect(try answer(rules, FilterInput(7, [9, 9, value])) == expected.rawValue)
    #expect(try answer(rules, FilterInput(8, [9, 9, value])) == FilterAction.allow.rawValue)
  }

  @Test(arguments: [(0, false), (3, true), (11, true), (7, false), (1, false)])
  func testsForFlags(_ value: Int, _ isAllowed: Bool) throws {
    let rules = [SystemCallRule(7, [.hasAll(of: 3, noneOf: 4, argument: 0)])]
    #expect(
      try answer(rules, FilterInput(7, [value])) == (isAllowed ? FilterAction.allow : Self.refusal).rawValue)
  }

  @Test func allConditionsMustHold() throws {
    let rules = [
      SystemCallRule(7, [.isOne(of: [1], argument: 0), .hasNone(of: 6, argument: 5)], otherwise: .fail(ENOSYS))
    ]
    for (arguments, expected) in [
      ([1, 0, 0, 0, 0, 1], FilterAction.allow), ([1, 0, 0, 0, 0, 2], .fail(ENOSYS)),
      ([2, 0, 0, 0, 0, 1], .fail(ENOSYS)),
    ] {
      #expect(try answer(rules, FilterInput(7, arguments)) == expected.rawValue)
    }
    #expect(try answer([.never(7, .fail(ENOSYS))], FilterInput(7)) == FilterAction.fail(ENOSYS).rawValue)
  }
}

@Suite struct SystemCallsTests {
  private func answer(_ needs: SystemCalls.Needs, _ input: FilterInput) throws -> UInt32 {
    let rules = SystemCalls.rules(needs, process: 4711)
    return try runFilter(FilterAssembler(rules: rules, refusal: .fail(EPERM)).instructions, to: input)
  }

  @Test func everyCallHasOneRule() {
    for needs in [SystemCalls.Needs(), .init(tracing: true, network: true)] {
      let rules = SystemCalls.rules(needs, process: 1)
      #expect(Set(rules.map(\.number)).count == rules.count)
      #expect(FilterAssembler(rules: rules, refusal: .log).instructions.count < FilterAssembler.limit)
    }
  }

  @Test(arguments: [
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_mount, SYS_umount2, SYS_setuid, SYS_init_module, SYS_kexec_load, SYS_kill,
    SYS_bpf, SYS_perf_event_open, SYS_process_vm_readv, SYS_userfaultfd, SYS_keyctl, SYS_unshare, SYS_setns,
    SYS_pivot_root, SYS_chroot, SYS_reboot, SYS_io_uring_setup, SYS_open_by_handle_at, SYS_pidfd_getfd, SYS_linkat,
    SYS_renameat2, SYS_mknodat, SYS_fchownat,
  ])
  func refuses(_ number: Int32) throws {
    #expect(try answer(.init(), FilterInput(number)) == FilterAction.fail(EPERM).rawValue)
  }

  /// The other filter: one call fails, and all others are left to the first.
  @Test func refusesQuietly() throws {
    let program = FilterAssembler(rules: SystemCalls.refusedQuietly, refusal: .allow).instructions
    #expect(try runFilter(program, to: FilterInput(SYS_clone3)) == FilterAction.fail(ENOSYS).rawValue)
    for number in [SYS_clone, SYS_execve, SYS_read] {
      #expect(try runFilter(program, to: FilterInput(number)) == FilterAction.allow.rawValue)
    }
  }

  @Test func looksAtArguments() throws {
    let (allow, refuse) = (FilterAction.allow.rawValue, FilterAction.fail(EPERM).rawValue)
    let thread = 0x003d_0f00
    for (input, expected) in [
      (FilterInput(SYS_mmap, [0, 4096, Int(PROT_READ | PROT_WRITE)]), allow),
      (FilterInput(SYS_mmap, [0, 4096, Int(PROT_READ | PROT_EXEC)]), refuse),
      (FilterInput(SYS_mprotect, [0, 4096, Int(PROT_EXEC)]), refuse),
      (FilterInput(SYS_mprotect, [0, 4096, Int(PROT_NONE)]), allow),
      (FilterInput(SYS_clone, [thread]), allow),
      (FilterInput(SYS_clone, [Int(SIGCHLD)]), refuse),
      (FilterInput(SYS_clone, [thread | 0x1000_0000]), refuse),
      (FilterInput(SYS_socket, [Int(AF_UNIX)]), allow), (FilterInput(SYS_socket, [Int(AF_INET)]), refuse),
      (FilterInput(SYS_socket, [Int(AF_NETLINK)]), refuse),
      (FilterInput(SYS_prctl, [15]), allow), (FilterInput(SYS_prctl, [4]), refuse),
      (FilterInput(SYS_tgkill, [4711, 4712, 6]), allow), (FilterInput(SYS_tgkill, [1, 1, 9]), refuse),
      (FilterInput(SYS_kill, [4711, 15]), allow), (FilterInput(SYS_kill, [-1, 9]), refuse),
      (FilterInput(SYS_prlimit64, [0]), allow), (FilterInput(SYS_prlimit64, [1]), refuse),
      (FilterInput(SYS_ioctl, [3, Int(CLINUX_BLKGETSIZE64)]), allow),
      (FilterInput(SYS_ioctl, [3, Int(TIOCSTI)]), refuse),
    ] {
      #expect(try answer(.init(), input) == expected, "\(input)")
    }
  }

  @Test func allowsMoreWhereItIsNeeded() throws {
    let (allow, refuse) = (FilterAction.allow.rawValue, FilterAction.fail(EPERM).rawValue)
    let network = SystemCalls.Needs(network: true)
    #expect(try answer(network, FilterInput(SYS_socket, [Int(AF_INET6)])) == allow)
    #expect(try answer(network, FilterInput(SYS_socket, [Int(AF_PACKET)])) == refuse)
    // Elements of maps and the tracepoint, and no new program or map.
    let tracing = SystemCalls.Needs(tracing: true)
    for (command, expected) in [(0, refuse), (1, allow), (2, allow), (3, allow), (5, refuse), (17, allow)] {
      #expect(try answer(tracing, FilterInput(SYS_bpf, [command])) == expected, "bpf command \(command)")
    }
  }
}
