import CLinux
import LinuxIO
import Storage

/// What the commands of all controllers on one I/O thread share: requests, the aio context, bounce buffers, workers.
struct IOResources: ~Copyable {
  var aio: AIOContext
  var requests: RequestTable
  private(set) var bounce: BouncePool
  /// Bounce buffers that each controller has.
  private var bounceShares: FixedTable<Int>
  /// Most bounce buffers of one controller, so that others find free ones.
  private var bounceLimit: Int
  /// Requests that wait for a bounce buffer, in order: a ring of request indexes.
  private var waiters: FixedTable<Int32>
  private var firstWaiter = 0
  private(set) var waiterCount = 0
  /// Whether one of them may find a buffer now.
  private(set) var mayResume = false
  /// Where data for an SGL bit bucket goes.
  let bitBucket: MemoryMapping
  private let workers: WorkerPool
  /// What workers do, by the slot of its request.
  private var jobs: FixedTable<StorageJob?>
  let completions: CompletionPort
  /// Commands fetched and completed so far: whether a round did anything.
  var progress: UInt64 = 0
  /// Bytes that the thread itself has moved or cleared for the controller whose turn it is.
  private(set) var bytesMoved = 0
  /// Commands that the present turn of a submission queue may have; 0 when the bytes of the round are used up.
  var turnLimit = 0
  /// The time of the round.
  var clock = RoundClock()
  /// What rate limits go by.
  var rateClock = RateClock.monotonic
  /// Most commands in flight for one controller, so that others find free requests.
  private(set) var portLimit: Int

  init(
    aio: consuming AIOContext, maximumTransfer: Int, portCount: Int, workers: WorkerPool
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
    jobs = FixedTable(count: count) { _ in nil }
    waiters = FixedTable(count: count) { _ in 0 }
    bounceShares = FixedTable(count: portCount) { _ in 0 }
    portLimit = count
    bounceLimit = self.bounce.count
  }

  /// So many controllers share what there is: none may take all of it from the others.
  mutating func share(among controllers: Int) {
    let controllers = max(controllers, 1)
    portLimit = max(min(64, requests.count), requests.count / controllers)
    bounceLimit = max(1, bounce.count / controllers)
    mayResume = true
  }

  /// A bounce buffer for a request; nil where its controller has its share, or there is none.
  mutating func takeBounce(for index: Int) -> Int? {
    let port = requests[index].port
    guard bounceShares[port] < bounceLimit, let buffer = bounce.take() else { return nil }
    bounceShares[port] += 1
    return buffer
  }

  /// Gives the bounce buffer of a request back, if it has one.
  mutating func giveBounce(of index: Int) {
    let buffer = requests[index].bounce
    guard buffer >= 0 else { return }
    bounce.give(buffer)
    requests[index].bounce = -1
    bounceShares[requests[index].port] -= 1
    mayResume = true
  }

  /// Begins the round of a controller.
  mutating func beginRound() { bytesMoved = 0 }

  /// Gives a request's job to the workers.
  ///
  /// - Returns: false where they take none.
  mutating func work(_ job: StorageJob, for index: Int) -> Bool {
    guard workers.submit(job, to: completions) else { return false }
    jobs[index] = job
    return true
  }

  /// A request's job has ended.
  mutating func endWork(_ index: Int) { jobs[index] = nil }

  /// Nobody wants a request's job any more: it ends after the step that is under way, if it has several.
  mutating func cancelWork(_ index: Int) {
    // A flush is one step, and may be that of others too.
    guard let job = jobs[index], job.operation != .flush else { return }
    job.cancel()
  }

  /// Counts bytes that the thread has moved or cleared; those that exceed the round's end the turn.
  mutating func noteMoved(_ byteCount: Int) {
    let (total, overflow) = bytesMoved.addingReportingOverflow(byteCount)
    bytesMoved = overflow ? .max : total
    // Told by what is compared for each command as it is, so that those that move nothing pay nothing.
    if bytesMoved >= ControllerPort.bytesPerRound { turnLimit = 0 }
  }

  /// Puts a request at the end of those that wait for a bounce buffer.
  mutating func wait(_ index: Int) {
    guard waiterCount < waiters.count else { return }
    waiters[(firstWaiter + waiterCount) % waiters.count] = Int32(truncatingIfNeeded: index)
    waiterCount += 1
  }

  /// The request that has waited longest of those that may have a bounce buffer now.
  mutating func nextWaiter() -> Int? {
    if bounce.freeCount > 0 {
      for position in 0..<waiterCount where bounceShares[requests[waiter(position)].port] < bounceLimit {
        let index = waiter(position)
        remove(position)
        return index
      }
    }
    mayResume = false
    return nil
  }

  private func waiter(_ position: Int) -> Int { Int(waiters[(firstWaiter + position) % waiters.count]) }

  /// Takes the waiter at a position out; the order of the others stays.
  private mutating func remove(_ position: Int) {
    for place in stride(from: position, to: 0, by: -1) {
      waiters[(firstWaiter + place) % waiters.count] = waiters[(firstWaiter + place - 1) % waiters.count]
    }
    firstWaiter = (firstWaiter + 1) % waiters.count
    waiterCount -= 1
  }

  /// Takes a request out of those that wait.
  mutating func cancelWait(_ index: Int) {
    guard let position = (0..<waiterCount).first(where: { waiter($0) == index }) else { return }
    remove(position)
  }
}
