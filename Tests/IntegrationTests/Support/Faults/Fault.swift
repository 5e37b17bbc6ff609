import Glibc

/// What goes wrong with some requests to a `FaultDisk`.
struct Fault: Sendable {
  typealias Operation = FUSEFileRequest.Operation
  typealias Effect = FUSEFileRequest.Effect

  /// Which operations.
  var operations: Set<Operation>
  /// Which bytes: requests that have one of these. A sync has all.
  var range: Range<Int> = 0..<Int.max
  /// How many matching requests go well before.
  var skipped = 0
  /// How many go wrong then.
  var count = Int.max
  /// How many of 1000 matching requests go wrong, by the disk's random numbers.
  var perMille = 1000
  /// What becomes of them.
  var effect: Effect

  init(
    _ operations: Operation..., range: Range<Int> = 0..<Int.max, skipped: Int = 0, count: Int = Int.max,
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
  mutating func strikes(_ request: FUSEFileRequest, random: inout some RandomNumberGenerator) -> Bool {
    guard operations.contains(request.operation), count > 0 else { return false }
    guard request.operation == .sync || range.overlaps(request.range) else { return false }
    guard perMille >= 1000 || Int.random(in: 0..<1000, using: &random) < perMille else { return false }
    guard skipped == 0 else {
      skipped -= 1
      return false
    }
    count -= 1
    return true
  }
}
