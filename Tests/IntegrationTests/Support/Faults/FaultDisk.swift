import CLinux
import Glibc
import LinuxIO
import Synchronization

/// A disk image that fails as it is told: a file system of one file (FUSE), which a thread of the test serves.
///
/// What nvmed gets of it came through the kernel and its asynchronous I/O as from any other disk: errors, short
/// transfers, requests that do not finish.
///
/// The kernel waits for an answer to some requests in a way that not even SIGKILL ends, so that a process that waits for
/// a server that is gone stays for ever. That cannot happen here, whenever this process ends and whatever other tests
/// start meanwhile:
///
/// - The connection to the kernel is in a table of descriptors that the serving thread has for itself. It ends with that
///   thread, which waits for nothing of the disk, and then every request fails; no child inherits it, and no other thread
///   of a process that is killed has to let go of it first.
/// - The file is not in this process, but for the moment in which it is handed to a daemon. What the test keeps is a mount
///   that has no place in any folder, open with `O_PATH`, whose end asks nothing of the server.
/// - The kernel is told not to ask when a copy of the file is closed, as a child does that is about to run its program.
final class FaultDisk: Sendable {
  /// What a test may want of it.
  struct Options: Sendable {
    /// Requests do not hold up the thread that submits them. (A short write is an error then: the kernel's FUSE has no
    /// other way.)
    var isAsynchronous = true
    /// Through the page cache, written back by the kernel: for images that are opened without `O_DIRECT`.
    var isCached = false
    /// Of the faults that strike by chance.
    var seed: UInt64 = 1
  }

  /// Whether this process may mount one.
  static let isPossible: Bool = {
    guard geteuid() == 0, access("/dev/fuse", R_OK | W_OK) == 0 else { return false }
    return (try? FaultDisk(byteCount: 4096)) != nil
  }()

  private let server: FaultDiskServer
  private let thread: Mutex<Thread?>
  private let options: Options
  /// The file, not open for anything.
  private let mount: FileDescriptor

  /// Makes a disk of zeros.
  init(byteCount: Int, options: Options = Options()) throws {
    self.options = options
    let server = try FaultDiskServer(byteCount: byteCount, options: options)
    self.server = server
    let thread = try Thread(name: "fault disk") { server.serve() }
    do {
      let number = try server.awaitMount()
      mount = try FileDescriptor(path: number, flags: Int32(CLINUX_O_PATH))
    } catch {
      server.stop()
      thread.join()
      throw error
    }
    self.thread = Mutex(thread)
    server.use(mount: mount.rawValue)
  }

  deinit { disconnect() }

  /// Opens the file, for a daemon: `O_DIRECT`, unless it is cached. To be closed again at once.
  func open() throws -> FileDescriptor {
    let file = try FileDescriptor(
      path: "/proc/self/fd/\(mount.rawValue)", flags: O_RDWR | (options.isCached ? 0 : openDirect))
    // With a cache of its own the kernel does not ask for the size.
    if options.isCached, ftruncate(file.rawValue, server.bytes.count) != 0 { throw Errno.current }
    return file
  }

  /// Takes the disk away for good: every request, those that are held too, fails.
  func disconnect() {
    guard let thread = thread.withLock({ $0.take() }) else { return }
    server.stop()
    thread.join()
  }

  // MARK: What a test does with it

  /// Adds a fault; those added first strike first.
  func inject(_ fault: Fault) { server.inject(fault) }

  /// All is well from now on; what is held stays so.
  func repair() { server.repair() }

  /// Its content.
  var bytes: [UInt8] { server.bytes }

  /// Makes it longer or shorter, as somebody else on this host might.
  func resize(to byteCount: Int) { server.resize(to: byteCount) }

  /// How many requests of a kind have come so far.
  func count(_ operation: Fault.Operation) -> Int { server.count(operation) }

  /// Waits until so many requests are held.
  func awaitHeld(_ count: Int) throws { try server.awaitHeld(count) }

  /// Does what is held, or lets it fail with an errno.
  func release(failingWith error: Int32 = 0) { server.release(failingWith: error) }
}
