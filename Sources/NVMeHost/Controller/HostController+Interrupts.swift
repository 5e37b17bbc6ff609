import LinuxIO
import VFIOUser

/// MSI-X.
extension HostController {
  /// Installs an eventfd for each of the vectors 0 to `count` - 1, and turns MSI-X on.
  ///
  /// They go in as many messages as the server's limit of descriptors asks for.
  ///
  /// - Throws: `missing` where the device has fewer, `message`, `system`.
  public func installInterrupts(_ count: Int) throws(HostError) {
    let available = try connection.withClient { (client) throws(Errno) in try client.irqInfo(.msix).count }
    guard count >= 0, count <= available else { throw .missing("\(count) MSI-X vectors, of \(available)") }
    var installed: [InterruptVector] = []
    for number in 0..<count {
      installed.append(try InterruptVector(number: UInt16(truncatingIfNeeded: number)))
    }
    let chunk = Int(min(max(session.server.maxMessageFDs, 1), UInt64(UnixSocket.maxDescriptors)))
    for start in stride(from: 0, to: count, by: chunk) {
      try setInterrupts(from: start, [InterruptVector](installed[start..<min(start + chunk, count)]))
    }
    vectors = installed
    try updateConfiguration16(at: try messageControl(), set: PCIConfiguration.MSIX.enable)
  }

  /// Installs the eventfds of `vectors` for the vectors from `start` on, in one message.
  ///
  /// - Throws: `message`.
  public func setInterrupts(from start: Int, _ vectors: [InterruptVector]) throws(HostError) {
    try setInterrupts(from: start, count: vectors.count, descriptors: vectors.map { $0.event.rawValue })
  }

  /// Drops the eventfds of `count` vectors from `start` on, as QEMU does for vectors that the guest masks.
  ///
  /// - Throws: `message`.
  public func unsetInterrupts(from start: Int, count: Int) throws(HostError) {
    try setInterrupts(from: start, count: count, descriptors: [])
  }

  private func setInterrupts(from start: Int, count: Int, descriptors: [Int32]) throws(HostError) {
    let set = SetIRQs(
      index: .msix, start: UInt32(truncatingIfNeeded: start), count: UInt32(truncatingIfNeeded: count),
      action: .trigger, data: .eventFDs(descriptors.count))
    try connection.withClient { (client) throws(Errno) in try client.setIRQs(set, descriptors: descriptors) }
  }

  /// Drops every eventfd, and turns MSI-X off.
  ///
  /// - Throws: `message`.
  public func removeInterrupts() throws(HostError) {
    try updateConfiguration16(at: try messageControl(), clear: PCIConfiguration.MSIX.enable)
    try connection.withClient { (client) throws(Errno) in try client.setIRQs(.disable(.msix)) }
    vectors = []
  }

  private func messageControl() throws(HostError) -> UInt64 {
    try capabilityOffset(PCIConfiguration.MSIX.identifier) + PCIConfiguration.MSIX.messageControl
  }

  /// The waiter for a vector; nil for nil.
  ///
  /// - Throws: `missing` where it is not installed.
  func waiter(for vector: UInt16?) throws(HostError) -> InterruptWaiter? {
    guard let vector else { return nil }
    guard Int(vector) < vectors.count else { throw .missing("interrupt vector \(vector)") }
    return try InterruptWaiter(vectors[Int(vector)])
  }
}
