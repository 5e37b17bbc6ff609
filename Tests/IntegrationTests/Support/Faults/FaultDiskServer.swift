import Glibc
import LinuxIO
import NVMeHost
import Synchronization

/// The file system of one file behind a `FaultDisk`, which its thread serves.
final class FaultDiskServer: Sendable {
  private struct State {
    var bytes: [UInt8]
    var faults: [Fault] = []
    var random: XorShift
    var held: [FUSERequest] = []
    var counts: [Fault.Operation: Int] = [:]
    /// What became of the mounting.
    var mounted: Result<String, Errno>?
    /// The file, in the table of this process's descriptors.
    var mount: Int32 = -1
    /// The errno that what is held is to be answered with, 0: to be done.
    var release: Int32?
    var isStopping = false
  }

  private let options: FaultDisk.Options
  private let state: Mutex<State>
  /// Signalled for each change that a test may wait for.
  private let changed = TimedSemaphore()

  init(byteCount: Int, options: FaultDisk.Options) throws(Errno) {
    self.options = options
    state = Mutex(State(bytes: [UInt8](repeating: 0, count: byteCount), random: XorShift(seed: options.seed)))
  }

  // MARK: What a test does with it

  /// Waits until it is mounted.
  ///
  /// - Returns: the path at which to open it, until `use(mount:)`.
  func awaitMount() throws -> String {
    let deadline = deadline()
    while true {
      if let mounted = state.withLock({ $0.mounted }) { return try mounted.get() }
      guard changed.wait(until: deadline) else { throw TestFailure("the disk should be mounted") }
    }
  }

  /// Tells it of the file, which says from now on when there is something to do.
  func use(mount: Int32) {
    state.withLock { $0.mount = mount }
    knock()
  }

  /// Lets `serve()` return, and everything that is asked fail.
  func stop() {
    state.withLock { $0.isStopping = true }
    knock()
  }

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

  func awaitHeld(_ count: Int) throws {
    let deadline = deadline()
    while state.withLock({ $0.held.count }) < count {
      guard changed.wait(until: deadline) else { throw TestFailure("\(count) requests should be held") }
    }
  }

  func release(failingWith error: Int32) {
    state.withLock { $0.release = error }
    knock()
  }

  /// Makes the serving thread look, and waits until it has: the kernel asks it how much room is left. Nothing else of this
  /// process reaches its table of descriptors.
  private func knock() {
    let mount = state.withLock { $0.mount }
    var room = statvfs()
    if mount >= 0 { fstatvfs(mount, &room) }
  }

  // MARK: Serving

  /// Mounts the file and answers the kernel until `stop()`.
  func serve() {
    let connection: FUSEConnection
    do throws(Errno) { connection = try FUSEConnection() } catch { return tell(.failure(error)) }
    tell(.success(connection.path))
    var buffer = [UInt8](repeating: 0, count: FUSE.maximumTransfer + 8192)
    while let request = connection.receive(&buffer, unless: { state.withLock { $0.isStopping } }) {
      take(request, connection)
      if state.withLock({ $0.isStopping }) { break }
    }
    connection.end()
  }

  private func tell(_ mounted: Result<String, Errno>) {
    state.withLock { $0.mounted = mounted }
    changed.signal()
  }

  /// Does what a test has told.
  private func takeKnock(_ connection: FUSEConnection) {
    connection.hideMount()
    let (held, error) = state.withLock { state -> ([FUSERequest], Int32) in
      guard let error = state.release else { return ([], 0) }
      state.release = nil
      defer { state.held = [] }
      return (state.held, error)
    }
    for request in held {
      if error == 0 { perform(request, connection) } else { connection.reply(request.unique, error: error) }
    }
  }

  private func take(_ request: FUSERequest, _ connection: FUSEConnection) {
    switch FUSE.Opcode(rawValue: request.opcode) {
    case .initialize: connection.reply(request.unique, initialization(request))
    case .getAttributes, .setAttributes:
      var body = FUSEBytes()
      body.pad(16)
      connection.reply(request.unique, FUSEBytes(body.bytes + attributes))
    case .open:
      var body = FUSEBytes()
      body.add(UInt64(1))
      body.add(
        FUSE.openWithoutFlush
          | (options.isCached ? FUSE.openKeepCache : FUSE.openDirect | FUSE.openParallelDirectWrites))
      body.add(UInt32(0))
      connection.reply(request.unique, body)
    case .read, .write, .sync, .allocate: strike(request, connection)
    case .release, .access, .destroy: connection.reply(request.unique, FUSEBytes())
    // (A request that its sender would rather not wait for any more is answered when it is, as by a disk.)
    case .forget, .batchForget, .interrupt: break
    case .statistics:
      takeKnock(connection)
      connection.reply(request.unique, error: ENOSYS)
    // (Of a kernel that does not know of files without a flush, which does not ask again then.)
    case .flush, nil: connection.reply(request.unique, error: ENOSYS)
    }
  }

  private func initialization(_ request: FUSERequest) -> FUSEBytes {
    var flags = FUSE.asynchronousRead | FUSE.bigWrites | FUSE.maximumPages
    if options.isAsynchronous { flags |= FUSE.asynchronousDirectIO }
    if options.isCached { flags |= FUSE.writebackCache }
    var body = FUSEBytes()
    body.add(FUSE.major)
    body.add(FUSE.minor)
    body.add(request.word(8, UInt32.self))  // read-ahead, as the kernel has it
    body.add(flags & request.word(12, UInt32.self))
    body.add(UInt16(1024))  // requests in the background
    body.add(UInt16(1024))
    body.add(UInt32(FUSE.maximumTransfer))
    body.add(UInt32(1))  // ns of a time stamp
    body.add(UInt16(FUSE.maximumTransfer / 4096))
    body.pad(64 - body.bytes.count)
    return body
  }

  /// `struct fuse_attr`.
  private var attributes: [UInt8] {
    let size = UInt64(state.withLock { $0.bytes.count })
    var body = FUSEBytes()
    body.add(UInt64(1))
    body.add(size)
    body.add(size / 512)
    body.pad(3 * 8 + 3 * 4)
    body.add(UInt32(S_IFREG) | 0o600)
    body.add(UInt32(1))
    body.pad(3 * 4)
    body.add(UInt32(4096))
    body.pad(4)
    return body.bytes
  }

  /// Which bytes a request is about.
  private func target(_ request: FUSERequest) -> (operation: Fault.Operation, bytes: Range<UInt64>) {
    let offset: UInt64 = request.word(8)
    func range(_ count: UInt64) -> Range<UInt64> {
      let end = offset.addingReportingOverflow(count)
      return offset..<(end.overflow ? UInt64.max : end.partialValue)
    }
    switch FUSE.Opcode(rawValue: request.opcode) {
    case .read: return (.read, range(UInt64(request.word(16, UInt32.self))))
    case .write: return (.write, range(UInt64(request.word(16, UInt32.self))))
    case .allocate: return (.allocate, range(request.word(16)))
    default: return (.sync, 0..<0)
    }
  }

  /// Does a request, unless a fault strikes it.
  private func strike(_ request: FUSERequest, _ connection: FUSEConnection) {
    let (operation, bytes) = target(request)
    let effect = state.withLock { state -> Fault.Effect? in
      state.counts[operation, default: 0] += 1
      for index in state.faults.indices where state.faults[index].strikes(operation, bytes, random: &state.random) {
        return state.faults[index].effect
      }
      return nil
    }
    switch effect {
    case .error(let number): connection.reply(request.unique, error: number)
    case .short(let limit): perform(request, connection, limit: UInt64(limit))
    case nil: perform(request, connection)
    case .hold:
      state.withLock { $0.held.append(request) }
      changed.signal()
    }
  }

  /// Does a request, of which at most `limit` bytes are transferred.
  private func perform(_ request: FUSERequest, _ connection: FUSEConnection, limit: UInt64 = .max) {
    let (operation, range) = target(request)
    let wanted = min(UInt64(range.count), limit)
    switch operation {
    case .sync: connection.reply(request.unique, FUSEBytes())
    case .read:
      let data = state.withLock { state -> [UInt8] in
        let size = UInt64(state.bytes.count)
        let start = min(range.lowerBound, size)
        return Array(state.bytes[Int(start)..<Int(min(start + wanted, size))])
      }
      connection.reply(request.unique, FUSEBytes(data))
    case .write:
      let (start, count) = (Int(range.lowerBound), Int(wanted))
      let data = request.body[FUSE.writeByteCount..<FUSE.writeByteCount + count]
      state.withLock { state in
        // A file grows with what is written to it.
        let missing = start + count - state.bytes.count
        if missing > 0 { state.bytes.append(contentsOf: repeatElement(0, count: missing)) }
        state.bytes.replaceSubrange(start..<start + count, with: data)
      }
      var body = FUSEBytes()
      body.add(UInt32(count))
      body.pad(4)
      connection.reply(request.unique, body)
    case .allocate:
      state.withLock { state in
        // Holes and zeroed ranges, the only ones asked for, read as zeros.
        let end = min(range.upperBound, UInt64(state.bytes.count))
        for index in min(range.lowerBound, end)..<end { state.bytes[Int(index)] = 0 }
      }
      connection.reply(request.unique, FUSEBytes())
    }
  }
}
