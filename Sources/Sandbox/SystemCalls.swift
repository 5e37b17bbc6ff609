import CLinux
import Glibc

/// The system calls that the daemon makes after start-up, and which calls of them.
///
/// Found by `strace` of daemons at work, by what the tests found refused, and by what the C library may call in their
/// place. In the order of the data path: the kernel keeps a bitmap of calls that are allowed whatever their arguments
/// are, so these cost nothing more.
enum SystemCalls {
  /// What depends on how the daemon is configured.
  struct Needs: Equatable, Sendable {
    /// An eBPF program is attached and detached, and its maps are changed (`bpf(2)`).
    var tracing = false
    /// Sockets of TCP are opened, for metrics.
    var network = false
  }

  /// The rules of a daemon.
  ///
  /// - Parameter process: its number, for what it may only do to itself.
  static func rules(_ needs: Needs, process: Int32) -> [SystemCallRule] {
    let always = dataPath + files + memory + time + signals + polling
    var rules = always.map { SystemCallRule($0) }
    rules += threads(process: process) + protectedMemory + sockets(needs) + control
    if needs.tracing { rules.append(SystemCallRule(SYS_bpf, [.isOne(of: BPFCommand.runTime, argument: 0)])) }
    return rules
  }

  /// What is refused without a line in the kernel's log, in a filter of its own that allows all else: the C library asks
  /// for it at each start of a thread, and is content without it.
  static let refusedQuietly = [
    // Its flags are in memory, which a filter cannot read: the C library takes clone(2) where there is none.
    SystemCallRule.never(SYS_clone3, .fail(ENOSYS))
  ]

  private static let dataPath = [
    SYS_io_submit, SYS_io_getevents, SYS_io_pgetevents, SYS_read, SYS_write, SYS_epoll_pwait, SYS_epoll_pwait2,
    SYS_futex, SYS_sendmsg, SYS_recvmsg, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2,
    SYS_readv, SYS_writev, SYS_fdatasync, SYS_fsync, SYS_fallocate, SYS_sync_file_range, SYS_fadvise64,
    SYS_sched_yield, SYS_membarrier, SYS_io_setup, SYS_io_destroy, SYS_io_cancel,
  ]

  private static let files = [
    SYS_openat, SYS_close, SYS_fstat, SYS_statx, SYS_fcntl, SYS_lseek, SYS_getdents64, SYS_readlinkat, SYS_faccessat,
    SYS_faccessat2, SYS_flock, SYS_ftruncate, SYS_fstatfs, SYS_unlinkat, SYS_fchmod, SYS_fchmodat, SYS_getcwd, SYS_dup,
    SYS_dup3, SYS_pipe2, newfstatat,
  ]

  private static let memory = [
    SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_memfd_create, SYS_mincore,
  ]

  private static let time = [
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_timerfd_create,
    SYS_timerfd_settime,
  ]

  private static let signals = [
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_signalfd4,
    SYS_exit, SYS_exit_group,
  ]

  private static let polling =
    [SYS_epoll_create1, SYS_epoll_ctl, SYS_eventfd2, SYS_ppoll, SYS_pselect6] + legacy

  /// Older forms, which newer architectures do not have.
  #if arch(x86_64)
    private static let legacy = [
      SYS_epoll_wait, SYS_epoll_create, SYS_eventfd, SYS_poll, SYS_select, SYS_pipe, SYS_open, SYS_stat, SYS_lstat,
      SYS_access, SYS_readlink, SYS_unlink, SYS_chmod,
      SYS_getrlimit,
    ]
    private static let newfstatat = SYS_newfstatat
  #else
    private static let legacy: [Int32] = [SYS_getrlimit]
    private static let newfstatat = SYS_newfstatat
  #endif

  private static func threads(process: Int32) -> [SystemCallRule] {
    [
      // Refused before, by `refusedQuietly`.
      SystemCallRule(SYS_clone3),
      // Threads, and no processes: pthread_create(3) sets both, and no namespaces.
      SystemCallRule(
        SYS_clone, [.hasAll(of: Clone.memory | Clone.thread, noneOf: Clone.namespaces | Clone.tracing, argument: 0)]),
      SystemCallRule(SYS_set_robust_list), SystemCallRule(SYS_rseq), SystemCallRule(SYS_set_tid_address),
      SystemCallRule(SYS_gettid), SystemCallRule(SYS_getpid), SystemCallRule(SYS_getuid), SystemCallRule(SYS_geteuid),
      SystemCallRule(SYS_getgid), SystemCallRule(SYS_getegid),
      SystemCallRule(SYS_sched_setaffinity), SystemCallRule(SYS_sched_getaffinity),
      SystemCallRule(SYS_sched_getparam), SystemCallRule(SYS_sched_getscheduler),
      SystemCallRule(SYS_prctl, [.isOne(of: Prctl.allowed, argument: 0)]),
      SystemCallRule(SYS_tgkill, [.isOne(of: [Int(process)], argument: 0)]),
      SystemCallRule(SYS_kill, [.isOne(of: [Int(process)], argument: 0)]),
      SystemCallRule(SYS_getrandom), SystemCallRule(SYS_getrusage), SystemCallRule(SYS_sysinfo),
      SystemCallRule(SYS_uname),
      SystemCallRule(SYS_prlimit64, [.isOne(of: [0, Int(process)], argument: 0)]),
    ]
  }

  /// Memory that is never executable.
  private static let protectedMemory = [
    SystemCallRule(SYS_mmap, [.hasNone(of: Int(PROT_EXEC), argument: 2)]),
    SystemCallRule(SYS_mprotect, [.hasNone(of: Int(PROT_EXEC), argument: 2)]),
  ]

  private static func sockets(_ needs: Needs) -> [SystemCallRule] {
    let families = [AF_UNIX] + (needs.network ? [AF_INET, AF_INET6] : [])
    return [
      SystemCallRule(SYS_socket, [.isOne(of: families.map(Int.init), argument: 0)]),
      SystemCallRule(SYS_socketpair, [.isOne(of: [Int(AF_UNIX)], argument: 0)]),
    ]
      + [
        SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_connect, SYS_sendto, SYS_recvfrom, SYS_getsockopt,
        SYS_setsockopt, SYS_getsockname, SYS_getpeername, SYS_shutdown,
      ].map { SystemCallRule($0) }
  }

  /// Requests to devices: those of disks, and what a library asks to learn that a file is no terminal.
  private static let control = [
    SystemCallRule(
      SYS_ioctl,
      [
        .isOne(
          of: [
            CLINUX_BLKGETSIZE64, CLINUX_BLKSSZGET, CLINUX_BLKROGET, CLINUX_BLKDISCARD, UInt(TCGETS), UInt(FIONBIO),
            UInt(FIONREAD),
          ].map { Int(truncatingIfNeeded: $0) }, argument: 1)
      ])
  ]

  /// Flags of `clone(2)`.
  private enum Clone {
    static let memory = 0x100
    static let thread = 0x1_0000
    /// `CLONE_NEWTIME`, `NEWNS`, `NEWCGROUP`, `NEWUTS`, `NEWIPC`, `NEWUSER`, `NEWPID`, `NEWNET`.
    static let namespaces =
      0x80 | 0x2_0000 | 0x200_0000 | 0x400_0000 | 0x800_0000 | 0x1000_0000 | 0x2000_0000
      | 0x4000_0000
    /// `CLONE_PTRACE`.
    static let tracing = 0x2000
  }

  /// Options of `prctl(2)`.
  private enum Prctl {
    /// `PR_SET_NAME`, `PR_GET_NAME`, `PR_SET_TIMERSLACK`, `PR_GET_TIMERSLACK`, `PR_SET_VMA`.
    static let allowed = [15, 16, 29, 30, 0x5356_4d41]
  }

  /// Commands of `bpf(2)`.
  private enum BPFCommand {
    /// Elements of maps are looked up, stored, removed and listed; the loaded program is run once and attached.
    static let runTime = [1, 2, 3, 4, 10, 17]
  }
}
