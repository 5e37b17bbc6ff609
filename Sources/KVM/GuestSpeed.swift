import LinuxIO

/// How long an instruction of a guest takes: the CPU's time where the CPU runs guests, and hundreds of times that where
/// KVM emulates them one by one, as it may where it runs inside of a virtual machine.
public struct GuestSpeed: Equatable, Sendable {
  /// ns of one instruction, on average.
  public let nanoseconds: UInt64

  /// A speed that was measured.
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Whether no CPU is so slow: an emulated instruction takes from 300 ns, one of a CPU, even of an emulated CPU, below
  /// 30 ns.
  public var isEmulated: Bool { nanoseconds > 100 }

  private static let turns: UInt32 = 2000
  /// Runs, of which the fastest counts.
  private static let runs = 3

  /// Lets a guest count; takes about 20 ms where it is emulated.
  ///
  /// - Parameter devicePath: the device that VMs are made from.
  /// - Returns: nil where no guest runs.
  public static func measure(devicePath: String = KVMSystem.defaultPath) -> GuestSpeed? {
    let measured = try? GuestThread.run(deadline: 5000) { kick in
      try? measure(devicePath, kick)
    }
    return measured ?? nil
  }

  private static func measure(_ devicePath: String, _ kick: VCPUKick) throws(Errno) -> GuestSpeed? {
    // The shorter one costs the same exit.
    let short = try fastest(devicePath, turns: 1, kick)
    let long = try fastest(devicePath, turns: turns, kick)
    guard let short, let long else { return nil }
    return GuestSpeed(nanoseconds: (long > short ? long - short : 0) / UInt64(2 * turns))
  }

  /// ns of the CPU, without waiting for it, that a loop of two instructions takes; nil where the guest did not come to its end.
  private static func fastest(_ devicePath: String, turns: UInt32, _ kick: VCPUKick) throws(Errno) -> UInt64? {
    var guest = try SmallGuest(devicePath: devicePath) {
      $0.mov(.ecx, turns)
      let next = $0.here()
      $0.dec(.ecx)
      $0.j(.notEqual, next)
      $0.hlt()
    }
    var best: UInt64?
    for _ in 0..<runs {
      try guest.restart()
      let start = Clock.threadCPU
      guard try guest.run(kick) == .halt else { return nil }
      best = min(best ?? .max, Clock.threadCPU &- start)
    }
    return best
  }
}
