import CLinux
import Glibc
import LinuxIO
import Synchronization

/// A file whose reads, writes and syncs come to this process: a file system of one file (FUSE), which threads of the
/// test serve.
///
/// The kernel waits for an answer to some requests in a way that not even SIGKILL ends, so that a process that waits for
/// a server that is gone stays for ever. That cannot happen here, whenever this process ends and whatever other tests
/// start meanwhile:
///
/// - The connection to the kernel is in a table of descriptors that the serving threads have for themselves. It ends with
///   those threads, and then every request fails; no child inherits it, and no other thread of a process that is killed
///   has to let go of it first.
/// - The file is not in this process, but for the moment in which it is handed to its user. What the test keeps is a mount
///   that has no place in any folder, open with `O_PATH`, whose end asks nothing of the server.
/// - The kernel is told not to ask when a copy of the file is closed, as a child does that is about to run its program.
final class FUSEFile: Sendable {
  /// What a test may want of it.
  struct Options: Sendable {
    /// Requests do not hold up the thread that submits them. (A short write is an error then: the kernel's FUSE has no
    /// other way.)
    var isAsynchronous = true
    /// Through the page cache, written back by the kernel: for files that are opened without `O_DIRECT`.
    var isCached = false
    /// How many requests are served at once.
    var threadCount = 1
  }

  /// Whether this process may have one. (Not whether it can be made: where it cannot, tests are to fail.)
  static let isPossible = geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0

  private let server: FUSEFileServer
  private let content: any FUSEFileContent
  private let options: Options
  private let thread: Mutex<Thread?>
  /// The file, not open for anything.
  private let mount: FileDescriptor

  /// Mounts it.
  init(
    _ content: some FUSEFileContent, hook: some FUSEFileHook = FUSEFilePerformer(), options: Options = Options()
  ) throws {
    self.content = content
    self.options = options
    let server = FUSEFileServer(content, hook: hook, options: options)
    self.server = server
    let thread = try Thread(name: "fuse file") { server.serve() }
    do {
      mount = try FileDescriptor(path: try server.awaitMount(), flags: Int32(CLINUX_O_PATH))
    } catch {
      server.stop()
      thread.join()
      throw error
    }
    self.thread = Mutex(thread)
    server.use(mount: mount.rawValue)
  }

  deinit { disconnect() }

  /// Opens the file, for whoever is to use it: `O_DIRECT`, unless it is cached. To be closed again at once.
  func open() throws -> FileDescriptor {
    let file = try FileDescriptor(
      path: "/proc/self/fd/\(mount.rawValue)", flags: O_RDWR | (options.isCached ? 0 : openDirect))
    // With a cache of its own the kernel does not ask for the size.
    if options.isCached, ftruncate(file.rawValue, content.byteCount) != 0 { throw Errno.current }
    return file
  }

  /// Has the hook asked what it releases; that is done when this returns.
  func knock() { server.knock() }

  /// Takes it away for good: every request, those that are held too, fails.
  func disconnect() {
    guard let thread = thread.withLock({ $0.take() }) else { return }
    server.stop()
    thread.join()
  }
}
