import Glibc

/// What goes wrong with some requests to a `FaultDisk`.
struct Fault: Sendable {
  /// What is asked of the disk.
  enum Operation: Sendable, CaseIterable {
    case read
    case write
    /// `fsync(2)` and `fdatasync(2)`.
    case sync
    /// `fallocate(2)`.
    case allocate
  }

  /// What becomes of a request.
  enum Effect: Sendable {
    /// It does nothing and fails.
    case error(Int32)
    /// So many bytes of it are transferred.
    case short(Int)
    /// It is not answered, and does nothing, until `FaultDisk.release()`.
    case hold
  }

  /// Which operations.
  var operations: Set<Operation>
  /// Which bytes: requests that have one of these. A sync has all.
  var range: Range<UInt64> = 0..<UInt64.max
  /// How many matching requests go well before.
  var skipped = 0
  /// How many go wrong then.
  var count = Int.max
  /// How many of 1000 matching requests go wrong, by the disk's random numbers.
  var perMille = 1000
  /// What becomes of them.
  var effect: Effect

  init(
    _ operations: Operation..., range: Range<UInt64> = 0..<UInt64.max, skipped: Int = 0, count: Int = Int.max,
    perMille: Int = 1000, _ effect: Effect
  ) {
    self.operations = operations.isEmpty ? Set(Operation.allCases) : Set(operations)
    self.range = range
    self.skipped = skipped
    self.count = count
    self.perMille = perMille
    self.effect = effect
  }

  /// Whether a request is struck, which is counted.
  mutating func strikes(
    _ operation: Operation, _ bytes: Range<UInt64>, random: inout some RandomNumberGenerator
  ) -> Bool {
    guard operations.contains(operation), operation == .sync || range.overlaps(bytes), count > 0 else { return false }
    guard perMille >= 1000 || Int.random(in: 0..<1000, using: &random) < perMille else { return false }
    guard skipped == 0 else {
      skipped -= 1
      return false
    }
    count -= 1
    return true
  }
}
