import CLinux
import LinuxIO
import Storage

/// What the commands of all controllers on one I/O thread share: requests, the aio context, bounce buffers, workers.
struct IOResources: ~Copyable {
  var aio: AIOContext
  var requests: RequestTable
  var bounce: BouncePool
  /// Requests that wait for a bounce buffer, in order: a ring of request indexes.
  private var waiters: FixedTable<Int32>
  private var firstWaiter = 0
  private(set) var waiterCount = 0
  /// Where data for an SGL bit bucket goes.
  let bitBucket: MemoryMapping
  let workers: WorkerPool
  let completions: CompletionPort
  /// Commands fetched and completed so far: whether a round did anything.
  var progress: UInt64 = 0
  /// Bytes that the thread itself has moved or cleared for the controller whose turn it is.
  var bytesMoved = 0
  /// The time of the round.
  var clock = RoundClock()
  /// What rate limits go by.
  var rateClock = RateClock.monotonic
  /// Most commands in flight for one controller, so that others find free requests.
  var portLimit: Int

  init(
    aio: consuming AIOContext, maximumTransfer: Int, workers: WorkerPool
  ) throws(Errno) {
    let count = aio.capacity
    let bounce = try BouncePool(count: 32, byteCount: maximumTransfer)
    let bitBucket = try MemoryMapping(anonymous: maximumTransfer)
    let completions = try CompletionPort(limit: count)
    self.aio = aio
    self.bounce = bounce
    self.bitBucket = bitBucket
    self.completions = completions
    self.workers = workers
    requests = RequestTable(count: count)
    waiters = FixedTable(count: count) { _ in 0 }
    portLimit = count
  }

  /// Counts bytes that the thread has moved or cleared.
  mutating func noteMoved(_ byteCount: Int) {
    let (total, overflow) = bytesMoved.addingReportingOverflow(byteCount)
    bytesMoved = overflow ? .max : total
  }

  /// Puts a request at the end of those that wait for a bounce buffer.
  mutating func wait(_ index: Int) {
    guard waiterCount < waiters.count else { return }
    waiters[(firstWaiter + waiterCount) % waiters.count] = Int32(truncatingIfNeeded: index)
    waiterCount += 1
  }

  /// The request that has waited longest.
  mutating func nextWaiter() -> Int? {
    guard waiterCount > 0 else { return nil }
    let index = Int(waiters[firstWaiter])
    firstWaiter = (firstWaiter + 1) % waiters.count
    waiterCount -= 1
    return index
  }

  /// Takes a request out of those that wait.
  mutating func cancelWait(_ index: Int) {
    for _ in 0..<waiterCount {
      guard let waiter = nextWaiter() else { return }
      if waiter != index { wait(waiter) }
    }
  }
}
