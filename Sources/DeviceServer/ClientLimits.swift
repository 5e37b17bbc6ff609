import VFIOUser

/// What one client may have or cause at most, beside what a message is (`VFIOUser.Limits`).
///
/// Each keeps a client from taking what others need. Interrupt vectors need no limit of their own: there are as many as the
/// controller has queues, and one more, and each holds one eventfd.
public enum ClientLimits {
  /// Ranges of memory.
  public static let dmaMaps = Limits.dmaMaps
  /// Log lines that a client can cause at once, of faults and of notices each: what a start that goes wrong says.
  public static let logBurst: UInt64 = 20
  /// ns after which it can cause one more.
  public static let logInterval: UInt64 = 1_000_000_000
  /// ms for which its controller accepts nobody after a client had a thread wait for it: a look of `WriteWatch` each
  /// time, or a few where each write waits for less than 1 ms.
  public static let dismissal: UInt64 = 1000
}
