import Glibc
import LinuxIO
import Synchronization

/// What is behind a `FUSEFile`. Several threads ask at once where it is served by several.
protocol FUSEFileContent: Sendable {
  var byteCount: Int { get }
  func read(_ range: Range<Int>) throws(Errno) -> [UInt8]
  /// Writes; durable at once where `isForced` (`O_DSYNC`, `RWF_DSYNC`).
  func write(_ bytes: ArraySlice<UInt8>, at offset: Int, isForced: Bool) throws(Errno)
  /// `fsync(2)` and `fdatasync(2)`.
  func sync() throws(Errno)
  /// `fallocate(2)`: reads as zeros from now on.
  func clear(_ range: Range<Int>, deallocates: Bool) throws(Errno)
}

/// An open file whose reads, writes and syncs come to this process (FUSE).
///
/// The file is mounted only until it is open, and the connection ends with this process at the latest.
final class FUSEFile: Sendable {
  /// The open file, for whoever is to use it.
  let descriptor: FileDescriptor
  private let server: FUSEFileServer
  private let threads: Mutex<[Thread]>

  /// Opens it.
  ///
  /// - Parameters:
  ///   - isCached: through the page cache, and not `O_DIRECT`.
  ///   - threadCount: how many requests are served at once.
  init(_ content: some FUSEFileContent, isCached: Bool = false, threadCount: Int = 1) throws {
    let server = try FUSEFileServer(content, isCached: isCached)
    self.server = server
    var template = Array("/tmp/nvmed-fuse-XXXXXX".utf8CString)
    let file = mkstemp(&template)
    guard file >= 0 else { throw Errno.current }
    close(file)
    let place = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(place) }
    let data = "fd=\(server.device.rawValue),rootmode=100600,user_id=0,group_id=0"
    guard data.withCString({ mount("nvmed-test", place, "fuse", UInt(MS_NOSUID), $0) }) == 0 else {
      throw Errno.current
    }
    defer { umount2(place, Int32(MNT_DETACH)) }
    var threads: [Thread] = []
    for _ in 0..<threadCount { threads.append(try Thread(name: "fuse file") { server.serve() }) }
    do {
      descriptor = try FileDescriptor(path: place, flags: O_RDWR | (isCached ? 0 : openDirect))
    } catch {
      server.stop()
      threads.forEach { $0.join() }
      throw error
    }
    self.threads = Mutex(threads)
    // With a cache of its own the kernel does not ask for the size.
    if isCached, ftruncate(descriptor.rawValue, content.byteCount) != 0 { throw Errno.current }
  }

  deinit { disconnect() }

  /// Ends it for good: every request fails.
  func disconnect() {
    server.stop()
    let ended = threads.withLock { threads in
      defer { threads = [] }
      return threads
    }
    for thread in ended { thread.join() }
  }
}

/// The file system of one file behind a `FUSEFile`.
private final class FUSEFileServer: Sendable {
  /// The connection to the kernel, which ends when it is closed.
  let device: FileDescriptor
  private let content: any FUSEFileContent
  private let isCached: Bool
  private let stopped: EventFD

  init(_ content: some FUSEFileContent, isCached: Bool) throws(Errno) {
    self.content = content
    self.isCached = isCached
    device = try FileDescriptor(path: "/dev/fuse", flags: O_RDWR | O_NONBLOCK)
    stopped = try EventFD()
  }

  /// Lets every `serve()` return.
  func stop() { stopped.signal() }

  /// Answers the kernel until `stop()`.
  func serve() {
    var buffer = [UInt8](repeating: 0, count: FUSE.maximumTransfer + 8192)
    while true {
      var watched = [
        pollfd(fd: device.rawValue, events: Int16(POLLIN), revents: 0),
        pollfd(fd: stopped.rawValue, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&watched, 2, -1) > 0 || errno == EINTR, watched[1].revents == 0 else { return }
      let count = Glibc.read(device.rawValue, &buffer, buffer.count)
      if count < 0, errno == EAGAIN || errno == EINTR || errno == ENOENT { continue }
      guard count > 0, let request = FUSERequest(buffer, count: count) else { return }
      do { try answer(request) } catch { reply(request.unique, error: error.rawValue) }
    }
  }

  private func answer(_ request: FUSERequest) throws(Errno) {
    let offset = Int(request.word(8, UInt64.self))
    switch FUSE.Opcode(rawValue: request.opcode) {
    case .initialize: reply(request.unique, initialization(request))
    case .getAttributes, .setAttributes: reply(request.unique, attributes)
    case .open:
      var body = FUSEBytes()
      body.add(UInt64(1))
      body.add(isCached ? FUSE.openKeepCache : FUSE.openDirect | FUSE.openParallelDirectWrites)
      body.add(UInt32(0))
      reply(request.unique, body)
    case .read:
      let start = min(offset, content.byteCount)
      let end = min(start + Int(request.word(16, UInt32.self)), content.byteCount)
      reply(request.unique, FUSEBytes(try content.read(start..<end)))
    case .write:
      let count = Int(request.word(16, UInt32.self))
      guard offset >= 0, offset + count <= content.byteCount else { throw Errno(rawValue: ENOSPC) }
      let bytes = request.body[FUSE.writeByteCount..<FUSE.writeByteCount + count]
      // `flags` of `struct fuse_write_in`: those of the file and of this call.
      let isForced = request.word(32, UInt32.self) & UInt32(O_DSYNC) != 0
      try content.write(bytes, at: offset, isForced: isForced)
      var body = FUSEBytes()
      body.add(UInt32(count))
      body.pad(4)
      reply(request.unique, body)
    case .sync:
      try content.sync()
      reply(request.unique, FUSEBytes())
    case .allocate:
      let end = min(offset + Int(request.word(16, UInt64.self)), content.byteCount)
      // FALLOC_FL_PUNCH_HOLE; zeroed ranges are the others asked for.
      try content.clear(min(offset, end)..<end, deallocates: request.word(24, UInt32.self) & 2 != 0)
      reply(request.unique, FUSEBytes())
    case .release, .access, .destroy: reply(request.unique, FUSEBytes())
    case .forget, .batchForget, .interrupt: break
    case .statistics:
      var body = FUSEBytes()
      body.pad(5 * 8)
      body.add(UInt32(4096))  // f_bsize: what a loop device discards at least
      body.pad(9 * 4)
      reply(request.unique, body)
    case .flush, nil: reply(request.unique, error: ENOSYS)
    }
  }

  private func initialization(_ request: FUSERequest) -> FUSEBytes {
    var flags = FUSE.asynchronousRead | FUSE.bigWrites | FUSE.maximumPages | FUSE.asynchronousDirectIO
    if isCached { flags |= FUSE.writebackCache }
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
    var body = FUSEBytes()
    body.pad(16)
    body.add(UInt64(1))
    body.add(UInt64(content.byteCount))
    body.add(UInt64(content.byteCount / 512))
    body.pad(3 * 8 + 3 * 4)
    body.add(UInt32(S_IFREG) | 0o600)
    body.add(UInt32(1))
    body.pad(3 * 4)
    body.add(UInt32(4096))
    body.pad(4)
    return body
  }

  private func reply(_ unique: UInt64, _ body: FUSEBytes) { reply(unique, error: 0, body.bytes) }

  private func reply(_ unique: UInt64, error: Int32, _ body: [UInt8] = []) {
    var header = FUSEBytes()
    header.add(UInt32(FUSE.outHeaderByteCount + body.count))
    header.add(0 - error)
    header.add(unique)
    let bytes = header.bytes + body
    _ = Glibc.write(device.rawValue, bytes, bytes.count)
  }
}
