import KVM
import LinuxIO

/// One property of ioeventfds that is checked on the kernel that runs: with POST_WRITE, without it, or on both.
///
/// Most are those of the selftest in "KVM: optionally post write on ioeventfd write" (Thanos Makatos, March 2026). Where
/// an ioeventfd without the flag must behave alike, there is a case for it too, that runs on every kernel.
public struct PostWriteCase: Sendable, CustomStringConvertible {
  /// On which kernels a case can be run.
  public enum Requirement: Equatable, Sendable {
    /// On all.
    case anyKernel
    /// On those with POST_WRITE.
    case postWrite
    /// On those without it.
    case noPostWrite
  }

  /// What must be true.
  public let description: String
  /// Where it can be run.
  public let requirement: Requirement
  /// ms until the case has failed.
  private let deadline: Int32
  private let body: @Sendable (VCPUKick) throws(PostWriteFailure) -> Void

  init(
    _ description: String, _ requirement: Requirement, deadline: Int32 = 10_000,
    _ body: @escaping @Sendable (VCPUKick) throws(PostWriteFailure) -> Void
  ) {
    self.description = description
    self.requirement = requirement
    self.deadline = deadline
    self.body = body
  }

  /// Every case, in the order in which they build on one another.
  public static let all: [PostWriteCase] =
    registrationCases + writeCases + portCases + faultCases + concurrencyCases

  /// How a case ended.
  public enum Outcome: Equatable, Sendable {
    /// It is true.
    case passed
    /// It is not; what happened instead.
    case failed(String)
    /// It cannot be found out here; the reason.
    case skipped(String)
  }

  /// Finds out, on a VM that is made for it.
  ///
  /// - Parameter support: what `PostWriteSupport.probe()` said of this kernel.
  public func run(_ support: PostWriteSupport) -> Outcome {
    switch requirement {
    case .postWrite where support != .supported: return .skipped("\(support)")
    case .noPostWrite where support == .supported: return .skipped("the kernel has POST_WRITE")
    default: break
    }
    do throws(Errno) {
      return try GuestThread.run(deadline: deadline) { kick in
        do throws(PostWriteFailure) {
          try body(kick)
          return .passed
        } catch { return .failed(kick.isRequested ? "not done after \(deadline) ms: \(error)" : error.description) }
      }
    } catch { return .failed("no thread for the vCPU: \(error)") }
  }
}

/// What was not as it must be.
struct PostWriteFailure: Error, Equatable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
