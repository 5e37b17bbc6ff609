import Glibc
import LinuxIO
import Testing

@testable import Storage

/// A door that a worker waits at, and a sign that it has come to it.
private final class Gate: Sendable {
  private let reached = Semaphore()
  private let opened = Semaphore()

  /// For the worker.
  func pass() {
    reached.signal()
    opened.wait()
  }
  /// Waits until a worker stands at the door.
  func waitUntilReached() { reached.wait() }
  /// Lets `count` workers through.
  func open(_ count: Int = 1) { for _ in 0..<count { opened.signal() } }
}

/// Takes `count` completions, waiting on the port's eventfd.
private func take(_ port: CompletionPort, _ count: Int) -> [JobCompletion] {
  var result: [JobCompletion] = []
  while result.count < count {
    var wait = pollfd(fd: port.eventFD, events: Int16(POLLIN), revents: 0)
    guard poll(&wait, 1, 10_000) == 1 else { break }
    result += port.take()
  }
  return result
}

private func isReadable(_ port: CompletionPort) -> Bool {
  var wait = pollfd(fd: port.eventFD, events: Int16(POLLIN), revents: 0)
  return poll(&wait, 1, 0) == 1
}

private let canceled = Errno(rawValue: ECANCELED)

@Suite struct WorkerPoolTests {
  private let file: TestImage

  init() throws { file = try TestImage(size: 1 << 30) }

  private func image(_ calls: StorageCalls = .system) throws -> DiskImage {
    try DiskImage(path: file.path, options: ImageOptions(cache: .buffered, lock: false), calls: calls)
  }

  /// Calls of which each sync passes a gate first.
  private func gated(_ gate: Gate) -> StorageCalls {
    var calls = ScriptedCalls().calls
    calls.dataSync = { _ in
      gate.pass()
      return nil
    }
    return calls
  }

  /// Flushes that wait behind one that is under way are one, and each is told of its end.
  @Test func flushesThatWaitAreOne() throws {
    let pool = try WorkerPool(threads: 2)
    let ports = [try CompletionPort(), try CompletionPort()]
    let gate = Gate()
    let image = try image(gated(gate))
    #expect(pool.submit(StorageJob(token: 0, image: image, operation: .flush), to: ports[0]))
    gate.waitUntilReached()
    for token in 1...64 as ClosedRange<UInt64> {
      #expect(pool.submit(StorageJob(token: token, image: image, operation: .flush), to: ports[Int(token % 2)]))
    }
    gate.open()
    #expect(take(ports[0], 1) == [JobCompletion(token: 0, error: nil)])
    gate.waitUntilReached()
    gate.open()
    for (index, port) in ports.enumerated() {
      #expect(take(port, 32).map(\.token).sorted() == (1...64).filter { $0 % 2 == UInt64(index) })
    }
    // The next one begins anew.
    #expect(pool.submit(StorageJob(token: 65, image: image, operation: .flush), to: ports[0]))
    gate.waitUntilReached()
    gate.open()
    #expect(take(ports[0], 1) == [JobCompletion(token: 65, error: nil)])
  }

  @Test func withoutThreadsJobsAreDoneWhenSomebodySaysSo() throws {
    let pool = try WorkerPool.inline()
    let port = try CompletionPort()
    let image = try image()
    // More steps than one turn has.
    let zeros = ByteRange(offset: 0, count: 64 * UInt64(JobExecution.writeStep))
    let operation = StorageJob.Operation.writeZeroes(zeros, deallocate: false, dataSync: false)
    var calls = StorageCalls.system
    calls.allocate = { _, _, _, _ in .notSupported }
    let slow = try self.image(calls)
    #expect(pool.submit(StorageJob(token: 1, image: image, operation: .flush), to: port))
    #expect(pool.submit(StorageJob(token: 2, image: slow, operation: operation), to: port))
    #expect(port.take().isEmpty)
    #expect(pool.work())
    #expect(port.take() == [JobCompletion(token: 1, error: nil), JobCompletion(token: 2, error: nil)])
    #expect(!pool.work())
  }

  @Test func everyJobComesBackOnceAtItsPort() throws {
    let pool = try WorkerPool(threads: 3)
    let ports = [try CompletionPort(), try CompletionPort()]
    let image = try image()
    try file.fill(0, 1 << 20, 0x31)
    for token in 0..<100 as Range<UInt64> {
      // Each second job zeroes its own block; every seventh is out of bounds.
      let range = ByteRange(offset: token % 7 == 0 ? 1 << 40 : token * 4096, count: 4096)
      let operation =
        token % 2 == 0
        ? StorageJob.Operation.writeZeroes(range, deallocate: token % 4 == 0, dataSync: false) : .flush
      let job = StorageJob(token: token, image: image, operation: operation)
      #expect(pool.submit(job, to: ports[Int(token % 3) % 2]))
    }
    var tokens: [UInt64] = []
    for (index, port) in ports.enumerated() {
      let expected = (0..<100).filter { $0 % 3 % 2 == index }
      let completions = take(port, expected.count)
      #expect(completions.map(\.token).sorted() == expected.map(UInt64.init))
      for completion in completions {
        #expect(completion.error == (completion.token % 14 == 0 ? .invalidArgument : nil))
      }
      #expect(port.outstanding == 0)
      #expect(!isReadable(port))
      tokens += completions.map(\.token)
    }
    #expect(tokens.sorted() == Array(0..<100))
    for block in 0..<100 {
      let zeroed = block % 2 == 0 && block % 7 != 0
      #expect(file.bytes(block * 4096, 4096).allSatisfy { $0 == (zeroed ? 0 : 0x31) })
    }
  }

  @Test func aPortTakesOnlySoMany() throws {
    let gate = Gate()
    let pool = try WorkerPool(threads: 1)
    let port = try CompletionPort(limit: 2)
    let other = try CompletionPort(limit: 1)
    let image = try image(gated(gate))
    func flush(_ token: UInt64) -> StorageJob { StorageJob(token: token, image: image, operation: .flush) }
    #expect(pool.submit(flush(1), to: port))
    #expect(pool.submit(flush(2), to: port))
    #expect(!pool.submit(flush(3), to: port))
    #expect(pool.submit(flush(4), to: other))
    gate.open(3)
    #expect(take(other, 1) == [JobCompletion(token: 4, error: nil)])
    // Finished is not enough: it must be taken, or the list would grow.
    #expect(!pool.submit(flush(5), to: port))
    #expect(take(port, 2).map(\.token) == [1, 2])
    #expect(pool.submit(flush(6), to: port))
    gate.open()
    #expect(take(port, 1) == [JobCompletion(token: 6, error: nil)])
  }

  @Test func aLongJobLetsOthersGoFirst() throws {
    let gate = Gate()
    let pool = try WorkerPool(threads: 1)
    let port = try CompletionPort()
    let script = ScriptedCalls()
    var calls = script.calls
    let isFirst = Locked(true)
    calls.dataSync = { fd in
      // The first flush holds the worker until all are queued.
      let waits = isFirst.withLock { value in
        defer { value = false }
        return value
      }
      guard waits else { return script.calls.dataSync(fd) }
      gate.pass()
      return nil
    }
    let image = try image(calls)
    #expect(pool.submit(StorageJob(token: 0, image: image, operation: .flush), to: port))
    gate.waitUntilReached()
    let gigabyte = ByteRange(offset: 0, count: 1 << 30)
    let long = StorageJob.Operation.deallocate([ByteRange](repeating: gigabyte, count: 16))
    #expect(pool.submit(StorageJob(token: 1, image: image, operation: long), to: port))
    #expect(pool.submit(StorageJob(token: 2, image: image, operation: .flush), to: port))
    gate.open()
    #expect(take(port, 3).map(\.token) == [0, 2, 1])
    let names = script.made.map(\.name)
    #expect(names.count == 257)
    #expect(names.firstIndex(of: "sync") == WorkQueue.stepsPerTurn)
  }

  /// However many disks do not answer, the next one's jobs are done.
  @Test func aDiskThatDoesNotAnswerHoldsUpItsOwnJobsAlone() throws {
    let gate = Gate()
    let pool = try WorkerPool(threads: 2)
    let port = try CompletionPort()
    let other = try CompletionPort()
    let stuck = 5
    for token in 0..<stuck {
      let image = try image(gated(gate))
      for number in 0..<3 {
        let job = StorageJob(token: UInt64(token * 3 + number), image: image, operation: .flush)
        #expect(pool.submit(job, to: port))
      }
    }
    for _ in 0..<stuck { gate.waitUntilReached() }
    for token in 100..<110 as Range<UInt64> {
      #expect(pool.submit(StorageJob(token: token, image: try image(), operation: .flush), to: other))
    }
    #expect(take(other, 10).map(\.token).sorted() == Array(100..<110))
    #expect(port.take() == [])
    gate.open(stuck * 3)
    #expect(take(port, stuck * 3).map(\.token).sorted() == (0..<UInt64(stuck * 3)).map { $0 })
  }

  @Test func aRunningJobCanBeCancelled() throws {
    let gate = Gate()
    let script = ScriptedCalls()
    var calls = script.calls
    let allocate = calls.allocate
    calls.allocate = { fd, mode, offset, count in
      gate.pass()
      return allocate(fd, mode, offset, count)
    }
    let pool = try WorkerPool(threads: 1)
    let port = try CompletionPort()
    let job = StorageJob(
      token: 9, image: try image(calls), operation: .deallocate([ByteRange(offset: 0, count: 1 << 30)]))
    #expect(pool.submit(job, to: port))
    gate.waitUntilReached()
    job.cancel()
    gate.open()
    #expect(take(port, 1) == [JobCompletion(token: 9, error: canceled)])
    #expect(script.made == [.init("punch", 0, 64 << 20)])
  }

  @Test func stoppingEndsEveryJob() throws {
    let gate = Gate()
    let script = ScriptedCalls()
    var calls = script.calls
    let allocate = calls.allocate
    calls.allocate = { fd, mode, offset, count in
      gate.pass()
      return allocate(fd, mode, offset, count)
    }
    let pool = try WorkerPool(threads: 1)
    let port = try CompletionPort()
    let image = try image(calls)
    let all = StorageJob.Operation.deallocate([ByteRange(offset: 0, count: 1 << 30)])
    #expect(pool.submit(StorageJob(token: 1, image: image, operation: all), to: port))
    gate.waitUntilReached()
    #expect(pool.submit(StorageJob(token: 2, image: image, operation: .flush), to: port))
    let stopper = try Thread(name: "stopper") { pool.stop() }
    // The waiting job is cancelled at once, while the worker is still in its call.
    #expect(take(port, 1) == [JobCompletion(token: 2, error: canceled)])
    gate.open()
    stopper.join()
    #expect(port.take() == [JobCompletion(token: 1, error: canceled)])
    #expect(script.made.count == 1)
    #expect(!pool.submit(StorageJob(token: 3, image: image, operation: .flush), to: port))
    #expect(port.outstanding == 0)
    pool.stop()
  }

  @Test func thePoolGoesWhenNobodyHoldsIt() throws {
    let port = try CompletionPort()
    let image = try image()
    do {
      let pool = try WorkerPool(threads: 2)
      for token in 0..<20 as Range<UInt64> {
        #expect(pool.submit(StorageJob(token: token, image: image, operation: .flush), to: port))
      }
    }
    // Its threads are joined: all have come back by now, done or cancelled.
    let completions = port.take()
    #expect(completions.map(\.token).sorted() == Array(0..<20))
    #expect(completions.allSatisfy { $0.error == nil || $0.error == canceled })
  }

  @Test func aJobKeepsItsImageOpen() throws {
    let gate = Gate()
    let pool = try WorkerPool(threads: 1)
    let port = try CompletionPort()
    weak var seen: DiskImage?
    do {
      let image = try image(gated(gate))
      seen = image
      #expect(pool.submit(StorageJob(token: 0, image: image, operation: .flush), to: port))
    }
    gate.waitUntilReached()
    #expect(seen != nil)
    gate.open()
    #expect(take(port, 1) == [JobCompletion(token: 0, error: nil)])
    pool.stop()
    #expect(seen == nil)
  }
}

@Suite struct CompletionPortTests {
  @Test func signalsUntilTaken() throws {
    let port = try CompletionPort(limit: 3)
    #expect(!isReadable(port))
    #expect(port.take() == [])
    #expect(port.reserve() && port.reserve() && port.reserve())
    #expect(!port.reserve())
    port.post(JobCompletion(token: 1, error: nil))
    port.post(JobCompletion(token: 2, error: .inputOutput))
    #expect(isReadable(port))
    #expect(port.take() == [JobCompletion(token: 1, error: nil), JobCompletion(token: 2, error: .inputOutput)])
    #expect(!isReadable(port))
    #expect(port.outstanding == 1)
    port.post(JobCompletion(token: 3, error: nil))
    #expect(isReadable(port))
    #expect(port.take() == [JobCompletion(token: 3, error: nil)])
    #expect(port.outstanding == 0)
    #expect(port.reserve())
    port.unreserve()
    #expect(port.outstanding == 0)
  }
}
