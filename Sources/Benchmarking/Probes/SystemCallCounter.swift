import BPF
import Glibc
import LinuxIO

/// Counts every system call of a process, by an eBPF program at the tracepoint `sys_enter`; none is missed, and none is
/// stopped for it as by ptrace(2).
///
/// While it lives, each call of each process of the machine takes some ten ns more: what is timed is not to be timed
/// meanwhile. Needs root, or CAP_BPF and CAP_PERFMON.
public struct SystemCallCounter: ~Copyable {
  /// Calls with greater numbers share the counter of the last one; there are fewer than this.
  static let callCount = 512

  private let map: BPFMap
  private let memory: MemoryMapping
  private let program: BPFProgram
  private let link: RawTracepointLink

  /// Why calls are not counted.
  public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel refuses.
    case refused(BPFError)
    /// Process numbers of this process are not those of the kernel, so that no call would be found.
    case pidNamespace

    /// A sentence.
    public var description: String {
      switch self {
      case .refused(let error): "\(error)"
      case .pidNamespace: "this process runs in a PID namespace of its own"
      }
    }
  }

  /// Counts from now on.
  public init(process: pid_t) throws(Failure) {
    do throws(BPFError) {
      let map = try BPFMap(memory: "bench_calls", size: SystemCallCounter.callCount * 8)
      // A program for this process finds itself, or is blind for others too.
      let own = try BPFProgram(
        rawTracepoint: "bench_own", try SystemCallCounter.instructions(process: getpid(), map: map.descriptor.rawValue))
      // (the first argument is not looked at)
      guard try own.run(arguments: [0, 0]) == 1 else { throw .testRun(.noSuchFile) }
      let memory = try map.mapMemory()
      unsafe memory.base.initializeMemory(as: UInt8.self, repeating: 0, count: SystemCallCounter.callCount * 8)
      let program = try BPFProgram(
        rawTracepoint: "bench_calls", try SystemCallCounter.instructions(process: process, map: map.descriptor.rawValue)
      )
      link = try RawTracepointLink(program, to: "sys_enter")
      self.map = map
      self.memory = memory
      self.program = program
    } catch {
      if error == .testRun(.noSuchFile) { throw .pidNamespace }
      throw .refused(error)
    }
  }

  /// `TP_PROTO(struct pt_regs *regs, long id)` (include/trace/events/syscalls.h): adds 1 to the call's counter and gives
  /// 1, where the process is the one; 0 else.
  static func instructions(process: pid_t, map: Int32) throws(BPFError) -> [BPFInstruction] {
    var code = BPFAssembler()
    let ignored = code.label()
    code.add(.calculate(.move, .r6, .r1))
    code.add(.call(.currentProcessAndThread))
    code.add(.calculate(.shiftRight, .r0, 32))
    code.jump32(.notEqual, .r0, process, to: ignored)
    code.add(.load(.doubleWord, .r7, .r6, 8))
    code.add(.calculate(.and, .r7, Int32(callCount - 1)))
    // Times 8; and for the verifier, that it is aligned.
    for _ in 0..<3 { code.add(.calculate(.add, .r7, .r7)) }
    code.add(.calculate(.and, .r7, Int32((callCount - 1) * 8)))
    code.add(BPFInstruction.mapValue(.r1, descriptor: map, offset: 0))
    code.add(.calculate(.add, .r1, .r7))
    code.add(.calculate(.move, .r2, 1))
    code.add(.atomicAdd(.doubleWord, .r1, 0, .r2))
    code.add(.calculate(.move, .r0, 1))
    code.add(.exit)
    code.place(ignored)
    code.add(.calculate(.move, .r0, 0))
    code.add(.exit)
    do throws(BPFAssembler.Failure) { return try code.assemble() } catch { throw .program(.invalidArgument) }
  }

  /// Calls so far, by number.
  public borrowing func counts() -> [Int: UInt64] {
    var counts: [Int: UInt64] = [:]
    for number in 0..<SystemCallCounter.callCount {
      let count = unsafe memory.base.load(fromByteOffset: number * 8, as: UInt64.self)
      if count > 0 { counts[number] = count }
    }
    return counts
  }
}

/// Names of system calls: those that a daemon's I/O is made of.
public enum SystemCallName {
  #if arch(x86_64)
    private static let names = [
      0: "read", 1: "write", 7: "poll", 17: "pread64", 18: "pwrite64", 24: "sched_yield", 45: "recvfrom",
      46: "sendmsg", 47: "recvmsg", 75: "fdatasync", 202: "futex", 208: "io_getevents", 209: "io_submit",
      228: "clock_gettime", 230: "clock_nanosleep", 232: "epoll_wait", 233: "epoll_ctl", 281: "epoll_pwait",
      285: "fallocate", 295: "preadv", 296: "pwritev", 327: "preadv2", 328: "pwritev2", 333: "io_pgetevents",
      426: "io_uring_enter", 441: "epoll_pwait2",
    ]
  #else
    private static let names = [
      2: "io_submit", 4: "io_getevents", 21: "epoll_ctl", 22: "epoll_pwait", 47: "fallocate", 63: "read", 64: "write",
      67: "pread64", 68: "pwrite64", 69: "preadv", 70: "pwritev", 73: "ppoll", 83: "fdatasync", 98: "futex",
      113: "clock_gettime", 115: "clock_nanosleep", 124: "sched_yield", 211: "sendmsg", 212: "recvmsg",
      286: "preadv2", 287: "pwritev2", 292: "io_pgetevents", 426: "io_uring_enter", 441: "epoll_pwait2",
    ]
  #endif

  /// The name, or `call N`.
  public static func of(_ number: Int) -> String { names[number] ?? "call \(number)" }
}
