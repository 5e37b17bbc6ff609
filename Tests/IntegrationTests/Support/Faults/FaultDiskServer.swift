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
  }

  /// The connection to the kernel, which ends when it is closed.
  let device: FileDescriptor
  private let options: FaultDisk.Options
  private let stopped: EventFD
  private let changed: EventFD
  private let state: Mutex<State>

  init(byteCount: Int, options: FaultDisk.Options) throws(Errno) {
    self.options = options
    device = try FileDescriptor(path: "/dev/fuse", flags: O_RDWR | O_NONBLOCK)
    stopped = try EventFD()
    changed = try EventFD()
    state = Mutex(State(bytes: [UInt8](repeating: 0, count: byteCount), random: XorShift(seed: options.seed)))
  }

  /// Lets `serve()` return.
  func stop() { stopped.signal() }

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

  func awaitHeld(_ count: Int) throws {
    let deadline = deadline()
    while state.withLock({ $0.held.count }) < count {
      guard !isOver(deadline) else { throw TestFailure("\(count) requests should be held") }
      changed.wait(timeout: 100)
      changed.drain()
    }
  }

  func release(failingWith error: Int32) {
    let held = state.withLock { state in
      defer { state.held = [] }
      return state.held
    }
    for request in held {
      if error == 0 { perform(request) } else { reply(request.unique, error: error) }
    }
  }

  // MARK: Serving

  /// Answers the kernel until `stop()`.
  func serve() {
    var buffer = [UInt8](repeating: 0, count: FUSE.maximumTransfer + 8192)
    while true {
      var watched = [
        pollfd(fd: device.rawValue, events: Int16(POLLIN), revents: 0),
        pollfd(fd: stopped.rawValue, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&watched, 2, -1) > 0 || errno == EINTR, watched[1].revents == 0 else { return }
      let count = read(device.rawValue, &buffer, buffer.count)
      if count < 0, errno == EAGAIN || errno == EINTR || errno == ENOENT { continue }
      guard count > 0, let request = FUSERequest(buffer, count: count) else { return }
      take(request)
    }
  }

  private func take(_ request: FUSERequest) {
    switch FUSE.Opcode(rawValue: request.opcode) {
    case .initialize: reply(request.unique, initialization(request))
    case .getAttributes, .setAttributes:
      var body = FUSEBytes()
      body.pad(16)
      reply(request.unique, FUSEBytes(body.bytes + attributes))
    case .open:
      var body = FUSEBytes()
      body.add(UInt64(1))
      body.add(options.isCached ? FUSE.openKeepCache : FUSE.openDirect | FUSE.openParallelDirectWrites)
      body.add(UInt32(0))
      reply(request.unique, body)
    case .read, .write, .sync, .allocate: strike(request)
    case .release, .access, .destroy: reply(request.unique, FUSEBytes())
    case .forget, .batchForget, .interrupt: break
    // (not asked again then: who closes a file that a child has inherited does not wait for a server that has gone)
    case .flush, .statistics, nil: reply(request.unique, error: ENOSYS)
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
  private func strike(_ request: FUSERequest) {
    let (operation, bytes) = target(request)
    let effect = state.withLock { state -> Fault.Effect? in
      state.counts[operation, default: 0] += 1
      for index in state.faults.indices where state.faults[index].strikes(operation, bytes, random: &state.random) {
        return state.faults[index].effect
      }
      return nil
    }
    switch effect {
    case .error(let number): reply(request.unique, error: number)
    case .short(let limit): perform(request, limit: UInt64(limit))
    case nil: perform(request)
    case .hold:
      state.withLock { $0.held.append(request) }
      changed.signal()
    }
  }

  /// Does a request, of which at most `limit` bytes are transferred.
  private func perform(_ request: FUSERequest, limit: UInt64 = .max) {
    let (operation, range) = target(request)
    let wanted = min(UInt64(range.count), limit)
    switch operation {
    case .sync: reply(request.unique, FUSEBytes())
    case .read:
      let data = state.withLock { state -> [UInt8] in
        let size = UInt64(state.bytes.count)
        let start = min(range.lowerBound, size)
        return Array(state.bytes[Int(start)..<Int(min(start + wanted, size))])
      }
      reply(request.unique, FUSEBytes(data))
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
      reply(request.unique, body)
    case .allocate:
      state.withLock { state in
        // Holes and zeroed ranges, the only ones asked for, read as zeros.
        let end = min(range.upperBound, UInt64(state.bytes.count))
        for index in min(range.lowerBound, end)..<end { state.bytes[Int(index)] = 0 }
      }
      reply(request.unique, FUSEBytes())
    }
  }

  private func reply(_ unique: UInt64, _ body: FUSEBytes) { reply(unique, error: 0, body.bytes) }

  private func reply(_ unique: UInt64, error: Int32, _ body: [UInt8] = []) {
    var header = FUSEBytes()
    header.add(UInt32(FUSE.outHeaderByteCount + body.count))
    header.add(0 - error)
    header.add(unique)
    let bytes = header.bytes + body
    _ = write(device.rawValue, bytes, bytes.count)
  }
}
