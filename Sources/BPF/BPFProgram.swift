import CLinux
import Glibc
import LinuxIO

/// The owner of a program that the kernel has verified. It is not run before a link attaches it. Any thread.
public struct BPFProgram: ~Copyable, Sendable {
  /// Bytes of what a verifier says at most.
  private static let logSize = 64 << 10

  /// The program.
  public let descriptor: FileDescriptor

  /// Loads a program for raw tracepoints: its context are the arguments of the tracepoint, 8 bytes each.
  ///
  /// - Parameters:
  ///   - name: shown by tools; at most 15 letters, digits and underscores.
  ///   - instructions: the program, as `BPFAssembler` makes it.
  /// - Throws: `rejected` with what the verifier said.
  public init(rawTracepoint name: String, _ instructions: [BPFInstruction]) throws(BPFError) {
    let words = instructions.map(\.encoded)
    func load(_ log: UnsafeMutableBufferPointer<CChar>?) -> Int32 {
      unsafe clinux_bpf_program_load(
        BPF_PROG_TYPE_RAW_TRACEPOINT.rawValue, words, UInt32(truncatingIfNeeded: words.count), name, log?.baseAddress,
        UInt32(truncatingIfNeeded: log?.count ?? 0))
    }
    let number = load(nil)
    if number >= 0 {
      descriptor = FileDescriptor(owning: number)
      return
    }
    let error = Errno.current
    // A log costs the verifier time, and makes it fail where the buffer is too small: only for who needs it.
    let log = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: BPFProgram.logSize) { buffer in
      unsafe buffer.initialize(repeating: 0)
      let second = unsafe load(buffer)
      if second >= 0 { _ = FileDescriptor(owning: second) }
      return unsafe String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
    if log.isEmpty { throw .program(error) }
    throw .rejected(error, log: log)
  }

  /// Runs the program once in the calling thread, with these arguments (`BPF_PROG_TEST_RUN`, Linux 5.10).
  ///
  /// - Returns: what it returns.
  public borrowing func run(arguments: [UInt64]) throws(BPFError) -> UInt32 {
    var result: UInt32 = 0
    let status = unsafe clinux_bpf_test_run(
      descriptor.rawValue, arguments, UInt32(truncatingIfNeeded: arguments.count * 8), &result)
    guard status == 0 else { throw .testRun(Errno.current) }
    return result
  }

  /// Waits until no run that has begun before this call goes on: after an entry was taken out of a map, nothing is stored
  /// any more because of it. Takes tens of ms.
  public static func awaitRuns() {
    // A kernel with nohz_full CPUs refuses. A run takes less than 1 us and is not preempted, so that 10 ms are enough.
    if clinux_membarrier() != 0 { usleep(10_000) }
  }
}

/// The owner of the attachment of a program to a raw tracepoint; detaches it when it goes out of scope, which takes some
/// ms. The program stays loaded as long as it is attached.
public struct RawTracepointLink: ~Copyable, Sendable {
  private let descriptor: FileDescriptor

  /// Attaches.
  ///
  /// - Throws: `attach` with `ENOENT` where there is no tracepoint of this name: the module that has it may be missing.
  public init(_ program: borrowing BPFProgram, to tracepoint: String) throws(BPFError) {
    let number = unsafe clinux_bpf_raw_tracepoint_open(tracepoint, program.descriptor.rawValue)
    guard number >= 0 else { throw .attach(Errno.current) }
    descriptor = FileDescriptor(owning: number)
  }
}
