import Synchronization

/// What one table has of a `MappingBudget`: also the mappings that were taken out of it and still exist, as commands in
/// flight use them. Any thread.
final class MappingShare: Sendable {
  private let budget: MappingBudget
  private let held = Atomic<Int>(0)

  /// Nothing yet.
  init(of budget: MappingBudget) { self.budget = budget }

  /// Takes one more mapping.
  ///
  /// - Returns: false where the table holds its share.
  func take() -> Bool {
    guard budget.take(holding: held.load(ordering: .relaxed)) else { return false }
    held.add(1, ordering: .relaxed)
    return true
  }

  /// Gives one back, when it is unmapped.
  func give() {
    held.subtract(1, ordering: .relaxed)
    budget.give()
  }
}
