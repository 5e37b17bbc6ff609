import Synchronization

/// Whether an I/O thread waits for completion queue heads of a controller: only then need a message wake it.
public final class CompletionInterest: Sendable {
  private let wanted = Atomic<Bool>(false)

  init() {}

  /// By the I/O thread, before it reads the heads once more.
  func set(_ value: Bool) { wanted.store(value, ordering: .sequentiallyConsistent) }

  /// By the control thread, after it stored a head.
  var isSet: Bool {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    return wanted.load(ordering: .sequentiallyConsistent)
  }
}
