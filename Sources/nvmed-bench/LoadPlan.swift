/// What every thread does.
struct LoadPlan: Sendable {
  let pattern: IOPattern
  let nsid: UInt32
  /// Logical blocks of a command.
  let blocks: Int
  /// How many places of that size there are.
  let places: UInt64
  /// Bytes of a command.
  let byteCount: Int
  /// In ns.
  let warmup: UInt64
  let duration: UInt64
}
