/// What `nvmed-bench relay` asks for.
struct RelayPlan: Sendable {
  /// Places of one request in the file.
  let places: UInt32
  let isRandom: Bool
  /// In ns.
  let warmup: UInt64
  /// In ns.
  let duration: UInt64
}
