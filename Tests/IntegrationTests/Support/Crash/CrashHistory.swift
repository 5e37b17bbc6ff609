import Synchronization

/// What a host asked of a namespace, and from when on it may rely on it. Any thread.
///
/// A block has one command at a time, so that what must be in it is known.
final class CrashHistory: Sendable {
  /// What a command does to blocks.
  enum Kind: Sendable {
    case write
    case zero
    /// Zeros, or what was there before.
    case deallocate
  }

  struct Operation: Sendable {
    let kind: Kind
    let blocks: Range<Int>
    /// How many had completed before it; nil where it is not known to have.
    var completion: Int?
    /// The disk's position when its completion had made it durable.
    var durableAt: Int?
  }

  private struct State {
    var operations: [Operation] = []
    var completions = 0
    /// What had completed before a flush began, and the disk's position when it had ended.
    var flushes: [(completions: Int, position: Int)] = []
    var isCacheOff = false
    /// How many are durable only because the cache was off when they completed.
    var writtenThrough = 0
  }

  private let state = Mutex(State())
  /// Signalled for each command that completes.
  private let completed = TimedSemaphore()
  let blockCount: Int

  init(blockCount: Int) { self.blockCount = blockCount }

  /// A command is about to be submitted. Gives its number, which is also the version that a write is to write: not 0.
  func begin(_ kind: Kind, _ blocks: Range<Int>) -> Int {
    state.withLock { state in
      state.operations.append(Operation(kind: kind, blocks: blocks))
      return state.operations.count
    }
  }

  /// It has completed.
  func end(_ number: Int, isForced: Bool, position: Int) {
    state.withLock { state in
      state.operations[number - 1].completion = state.completions
      state.completions += 1
      if isForced || state.isCacheOff { state.operations[number - 1].durableAt = position }
      if !isForced, state.isCacheOff { state.writtenThrough += 1 }
    }
    completed.signal()
  }

  /// How many changes have completed.
  var completionCount: Int { state.withLock { $0.completions } }

  /// How many of them are durable only because the cache was off.
  var writtenThroughCount: Int { state.withLock { $0.writtenThrough } }

  /// Waits until there are so many more of one of these. One thread.
  func awaitMore(_ count: Int, of kind: KeyPath<CrashHistory, Int> & Sendable) throws {
    let target = self[keyPath: kind] + count
    let deadline = deadline()
    while self[keyPath: kind] < target {
      guard completed.wait(until: deadline) else { throw TestFailure("the load does not go on") }
    }
  }

  /// What a flush that begins now makes durable, for `endFlush`.
  func beginFlush() -> Int { state.withLock { $0.completions } }

  /// A flush has succeeded.
  func endFlush(_ completions: Int, position: Int) {
    state.withLock { $0.flushes.append((completions, position)) }
  }

  /// The write cache was turned off: everything that has completed is durable, and so is what does from now on.
  func turnCacheOff(position: Int) {
    state.withLock { state in
      state.isCacheOff = true
      state.flushes.append((state.completions, position))
    }
  }

  /// The write cache is about to be turned on.
  func turnCacheOn() { state.withLock { $0.isCacheOff = false } }

  /// All commands, each with the position from which on it is durable.
  var operations: [Operation] {
    state.withLock { state in
      let flushes = state.flushes.sorted { $0.completions < $1.completions }
      // The earliest position among the flushes from each one on.
      var earliest = flushes.map(\.position)
      for index in earliest.indices.dropLast().reversed() {
        earliest[index] = min(earliest[index], earliest[index + 1])
      }
      return state.operations.map { operation in
        guard let completion = operation.completion else { return operation }
        var low = 0
        var high = flushes.count
        while low < high {
          let middle = (low + high) / 2
          if flushes[middle].completions > completion { high = middle } else { low = middle + 1 }
        }
        var result = operation
        if low < flushes.count { result.durableAt = min(operation.durableAt ?? .max, earliest[low]) }
        return result
      }
    }
  }
}
