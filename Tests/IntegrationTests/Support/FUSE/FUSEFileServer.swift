import Glibc
import LinuxIO
import Synchronization

/// The file system of one file behind a `FUSEFile`, which its threads serve.
final class FUSEFileServer: Sendable {
  private struct State {
    /// What became of the mounting.
    var mounted: Result<String, Errno>?
    /// The file, in the table of this process's descriptors.
    var mount: Int32 = -1
    var held: [UInt64: FUSEFileRequest] = [:]
    var isStopping = false
  }

  private let content: any FUSEFileContent
  private let hook: any FUSEFileHook
  private let options: FUSEFile.Options
  private let state = Mutex(State())
  /// Signalled when it is mounted, or could not be.
  private let mounted = TimedSemaphore()

  init(_ content: any FUSEFileContent, hook: any FUSEFileHook, options: FUSEFile.Options) {
    self.content = content
    self.hook = hook
    self.options = options
  }

  // MARK: What the others do with it

  /// Waits until it is mounted.
  ///
  /// - Returns: the path at which to open it, until `use(mount:)`.
  func awaitMount() throws -> String {
    guard mounted.wait(until: deadline()), let result = state.withLock({ $0.mounted }) else {
      throw TestFailure("the disk should be mounted")
    }
    return try result.get()
  }

  /// Tells it of the file, which says from now on when there is something to do.
  func use(mount: Int32) {
    state.withLock { $0.mount = mount }
    knock()
  }

  /// Lets `serve()` return, and everything that is asked fail.
  func stop() {
    state.withLock { $0.isStopping = true }
    for _ in 0..<options.threadCount { knock() }
  }

  /// Makes a serving thread look, and waits until it has: the kernel asks it how much room is left. Nothing else of this
  /// process reaches its table of descriptors.
  func knock() {
    let mount = state.withLock { $0.mount }
    var room = statvfs()
    if mount >= 0 { fstatvfs(mount, &room) }
  }

  // MARK: Serving

  /// Mounts the file and answers the kernel until `stop()`.
  func serve() {
    let connection: FUSEConnection
    do throws(Errno) { connection = try FUSEConnection() } catch { return tell(.failure(error)) }
    // They have this thread's table of descriptors.
    let others = (1..<options.threadCount).compactMap { _ in
      try? Thread(name: "fuse file") { [self] in serve(connection) }
    }
    tell(.success(connection.path))
    serve(connection)
    others.forEach { $0.join() }
    connection.end()
  }

  private func tell(_ result: Result<String, Errno>) {
    state.withLock { $0.mounted = result }
    mounted.signal()
  }

  private func serve(_ connection: FUSEConnection) {
    var buffer = [UInt8](repeating: 0, count: FUSE.maximumTransfer + 8192)
    while let request = connection.receive(&buffer, unless: { state.withLock { $0.isStopping } }) {
      take(request, connection)
      if state.withLock({ $0.isStopping }) { break }
    }
  }

  private func take(_ request: FUSERequest, _ connection: FUSEConnection) {
    switch FUSE.Opcode(rawValue: request.opcode) {
    case .initialize: connection.reply(request.unique, initialization(request))
    case .getAttributes, .setAttributes: connection.reply(request.unique, attributes)
    case .open:
      var body = FUSEBytes()
      body.add(UInt64(1))
      body.add(
        FUSE.openWithoutFlush
          | (options.isCached ? FUSE.openKeepCache : FUSE.openDirect | FUSE.openParallelDirectWrites))
      body.add(UInt32(0))
      connection.reply(request.unique, body)
    case .read, .write, .sync, .allocate:
      guard let request = FUSEFileRequest(request) else { return }
      take(request, connection)
      release(connection)
    case .release, .access, .destroy: connection.reply(request.unique, FUSEBytes())
    // (A request that its sender would rather not wait for any more is answered when it is, as by a disk.)
    case .forget, .batchForget, .interrupt: break
    case .statistics:
      connection.hideMount()
      release(connection)
      connection.reply(request.unique, statistics)
    // (Of a kernel that does not know of files without a flush, which does not ask again then.)
    case .flush, nil: connection.reply(request.unique, error: ENOSYS)
    }
  }

  /// Does a request, or what the hook says.
  private func take(_ request: FUSEFileRequest, _ connection: FUSEConnection) {
    switch hook.arrived(request) {
    case .perform: perform(request, connection)
    case .error(let number): connection.reply(request.identifier, error: number)
    case .short(let limit): perform(request, connection, limit: limit)
    case .hold: state.withLock { $0.held[request.identifier] = request }
    }
  }

  /// Goes on with what the hook has held.
  private func release(_ connection: FUSEConnection) {
    for release in hook.takeReleased() {
      guard let request = state.withLock({ $0.held.removeValue(forKey: release.identifier) }) else { continue }
      if release.error == 0 {
        perform(request, connection)
      } else {
        connection.reply(request.identifier, error: release.error)
      }
    }
  }

  /// Does a request, of which at most `limit` bytes are transferred.
  private func perform(_ request: FUSEFileRequest, _ connection: FUSEConnection, limit: Int = .max) {
    do throws(Errno) {
      let body = try result(of: request, limit: limit)
      hook.answers(request)
      connection.reply(request.identifier, body)
    } catch {
      connection.reply(request.identifier, error: error.rawValue)
    }
  }

  private func result(of request: FUSEFileRequest, limit: Int) throws(Errno) -> FUSEBytes {
    let inside = request.range.clamped(to: 0..<content.byteCount)
    let (start, count) = (inside.lowerBound, min(inside.count, limit))
    switch request.operation {
    case .sync: try content.sync()
    case .read: return FUSEBytes(try content.read(start..<start + count))
    case .write:
      let data = request.data.prefix(limit)
      try content.write(data, at: request.range.lowerBound, isForced: request.isForced)
      var body = FUSEBytes()
      body.add(UInt32(data.count))
      body.pad(4)
      return body
    case .allocate: try content.clear(inside, deallocates: request.deallocates)
    }
    return FUSEBytes()
  }

  // MARK: Structures

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

  /// `struct fuse_attr_out`.
  private var attributes: FUSEBytes {
    let size = UInt64(content.byteCount)
    var body = FUSEBytes()
    body.pad(16)
    body.add(UInt64(1))
    body.add(size)
    body.add(size / 512)
    body.pad(3 * 8 + 3 * 4)
    body.add(UInt32(S_IFREG) | 0o600)
    body.add(UInt32(1))
    body.pad(3 * 4)
    body.add(UInt32(4096))
    body.pad(4)
    return body
  }

  /// `struct fuse_kstatfs`.
  private var statistics: FUSEBytes {
    var body = FUSEBytes()
    body.pad(5 * 8)
    body.add(UInt32(4096))  // what a loop device discards at least
    body.pad(9 * 4)
    return body
  }
}
