import LinuxIO
import NVMeHost
import Synchronization

/// The bytes of a `FaultDisk`, and what goes wrong with the requests for them.
final class FaultDiskContent: FUSEFileContent, FUSEFileHook {
  private struct State {
    var bytes: [UInt8]
    var faults: [Fault] = []
    var random: XorShift
    var held: [UInt64] = []
    var released: [FUSEFileRelease] = []
    var counts: [Fault.Operation: Int] = [:]
  }

  private let state: Mutex<State>
  /// Signalled for each request that is held.
  private let held = TimedSemaphore()

  init(byteCount: Int, seed: UInt64) {
    state = Mutex(State(bytes: [UInt8](repeating: 0, count: byteCount), random: XorShift(seed: seed)))
  }

  // MARK: What a test does with it

  func inject(_ fault: Fault) { state.withLock { $0.faults.append(fault) } }

  func repair() { state.withLock { $0.faults = [] } }

  var bytes: [UInt8] { state.withLock { $0.bytes } }

  func resize(to byteCount: Int) {
    state.withLock { state in
      if byteCount < state.bytes.count { state.bytes.removeLast(state.bytes.count - byteCount) }
      state.bytes.append(contentsOf: repeatElement(0, count: byteCount - state.bytes.count))
    }
  }

  func count(_ operation: Fault.Operation) -> Int { state.withLock { $0.counts[operation] ?? 0 } }

  var heldCount: Int { state.withLock { $0.held.count } }

  func awaitHeld(_ count: Int) throws {
    let deadline = deadline()
    while heldCount < count {
      guard held.wait(until: deadline) else { throw TestFailure("\(count) requests should be held") }
    }
  }

  func release(failingWith error: Int32) {
    state.withLock { state in
      state.released += state.held.map { FUSEFileRelease(identifier: $0, error: error) }
      state.held = []
    }
  }

  // MARK: FUSEFileHook

  func arrived(_ request: FUSEFileRequest) -> FUSEFileRequest.Effect {
    let effect = state.withLock { state -> FUSEFileRequest.Effect in
      state.counts[request.operation, default: 0] += 1
      for index in state.faults.indices where state.faults[index].strikes(request, random: &state.random) {
        if case .hold = state.faults[index].effect { state.held.append(request.identifier) }
        return state.faults[index].effect
      }
      return .perform
    }
    if case .hold = effect { held.signal() }
    return effect
  }

  func takeReleased() -> [FUSEFileRelease] {
    state.withLock { state in
      defer { state.released = [] }
      return state.released
    }
  }

  // MARK: FUSEFileContent

  var byteCount: Int { state.withLock { $0.bytes.count } }

  func read(_ range: Range<Int>) -> [UInt8] {
    state.withLock { Array($0.bytes[range.clamped(to: 0..<$0.bytes.count)]) }
  }

  func write(_ bytes: ArraySlice<UInt8>, at offset: Int, isForced: Bool) {
    state.withLock { state in
      // A file grows with what is written to it.
      let missing = offset + bytes.count - state.bytes.count
      if missing > 0 { state.bytes.append(contentsOf: repeatElement(0, count: missing)) }
      state.bytes.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
  }

  func sync() {}

  func clear(_ range: Range<Int>, deallocates: Bool) {
    state.withLock { state in
      for index in range.clamped(to: 0..<state.bytes.count) { state.bytes[index] = 0 }
    }
  }
}
