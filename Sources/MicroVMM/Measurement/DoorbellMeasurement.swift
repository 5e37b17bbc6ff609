import KVM
import LinuxIO

/// How much is measured, and where.
public struct DoorbellMeasurement: Sendable {
  /// Doorbells in one go.
  public var count: UInt32
  /// How often each way has its turn; one more is thrown away.
  public var rounds: Int
  /// The CPU of the vCPU's thread; nil: any.
  public var vcpuCPU: Int32?
  /// The CPU of the server's threads; nil: any.
  public var serverCPU: Int32?
  /// ms until all is ended.
  public var deadline: Int32

  /// Describes a measurement.
  public init(
    count: UInt32, rounds: Int = 15, vcpuCPU: Int32? = nil, serverCPU: Int32? = nil, deadline: Int32 = 120_000
  ) {
    self.count = count
    self.rounds = rounds
    self.vcpuCPU = vcpuCPU
    self.serverCPU = serverCPU
    self.deadline = deadline
  }

  /// Measures on a thread of its own.
  ///
  /// - Parameter body: measures all rounds; its vCPU is kicked at the deadline.
  /// - Throws: what `body` throws; the error of `pthread_create(3)`.
  func run<Figures: Sendable>(
    _ body: @escaping @Sendable (VCPUKick) throws(Errno) -> Figures
  ) throws(Errno) -> Figures {
    let measured = try GuestThread.run(deadline: deadline, cpus: vcpuCPU.map { [$0] } ?? []) { kick in
      do throws(Errno) { return Result<Figures, Errno>.success(try body(kick)) } catch { return .failure(error) }
    }
    return try measured.get()
  }
}
