import CLinux

/// The kernel's clocks, in ns. Any thread.
public enum Clock {
  /// `CLOCK_MONOTONIC`.
  @inlinable public static var monotonic: UInt64 { UInt64(truncatingIfNeeded: clinux_monotonic_ns()) }
  /// `CLOCK_REALTIME`: ns since 1970.
  @inlinable public static var realtime: UInt64 { UInt64(truncatingIfNeeded: clinux_realtime_ns()) }
  /// CPU time of all threads of the process.
  @inlinable public static var processCPU: UInt64 { UInt64(truncatingIfNeeded: clinux_process_cpu_ns()) }
  /// CPU time of the calling thread.
  @inlinable public static var threadCPU: UInt64 { UInt64(truncatingIfNeeded: clinux_thread_cpu_ns()) }
}
