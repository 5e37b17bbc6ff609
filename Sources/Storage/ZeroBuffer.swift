import LinuxIO

/// Zeros to write from: never written to, so that all of it is the kernel's zero page.
final class ZeroBuffer: Sendable {
  private let mapping: MemoryMapping

  init() throws(Errno) { mapping = try MemoryMapping(anonymous: Int(JobExecution.writeStep)) }

  /// `JobExecution.writeStep` bytes.
  var base: UnsafeRawPointer { unsafe UnsafeRawPointer(mapping.base) }
}
