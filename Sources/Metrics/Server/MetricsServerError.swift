import LinuxIO

/// Why metrics cannot be served.
public struct MetricsServerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The reason, and what to do about it.
  public let description: String

  init(_ address: MetricsAddress, _ error: Errno) {
    let advice =
      switch error {
      case .addressInUse: "another process listens there; choose another address"
      case .noSuchFile: "the folder does not exist; create it first"
      default: "\(error)"
      }
    description = "metrics cannot be served on \(address.text): \(advice)"
  }
}
