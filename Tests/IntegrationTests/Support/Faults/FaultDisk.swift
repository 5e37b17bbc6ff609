import Glibc
import LinuxIO
import Synchronization

/// A disk image that fails as it is told: a file system of one file (FUSE), which a thread of the test serves.
///
/// What nvmed gets of it came through the kernel and its asynchronous I/O as from any other disk: errors, short
/// transfers, requests that do not finish. The file is mounted only until it is open, and the connection ends with this
/// process at the latest, so that nothing is left of a test that was killed.
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

  private let server: Mutex<FaultDiskServer?>
  private let thread: Thread
  private let image: FileDescriptor

  /// Makes a disk of zeros and opens it: `O_DIRECT`, unless it is cached.
  init(byteCount: Int, options: Options = Options()) throws {
    let server = try FaultDiskServer(byteCount: byteCount, options: options)
    var template = Array("/tmp/nvmed-fault-XXXXXX".utf8CString)
    let file = mkstemp(&template)
    guard file >= 0 else { throw Errno.current }
    close(file)
    let place = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(place) }
    let data = "fd=\(server.device.rawValue),rootmode=100600,user_id=0,group_id=0"
    guard data.withCString({ mount("nvmed-fault", place, "fuse", UInt(MS_NOSUID), $0) }) == 0 else {
      throw Errno.current
    }
    defer { umount2(place, Int32(MNT_DETACH)) }
    let thread = try Thread(name: "fault disk") { server.serve() }
    do {
      image = try FileDescriptor(path: place, flags: O_RDWR | (options.isCached ? 0 : openDirect))
    } catch {
      server.stop()
      thread.join()
      throw error
    }
    self.thread = thread
    self.server = Mutex(server)
    // With a cache of its own the kernel does not ask for the size.
    if options.isCached, ftruncate(image.rawValue, byteCount) != 0 { throw Errno.current }
  }

  deinit { disconnect() }

  /// The open file, for a daemon.
  var number: Int32 { image.rawValue }

  /// Takes the disk away for good: every request, those that are held too, fails.
  func disconnect() {
    guard let server = server.withLock({ $0.take() }) else { return }
    server.stop()
    thread.join()
  }

  // MARK: What a test does with it

  /// Adds a fault; those added first strike first.
  func inject(_ fault: Fault) { connection?.inject(fault) }

  /// All is well from now on; what is held stays so.
  func repair() { connection?.repair() }

  /// Its content.
  var bytes: [UInt8] { connection?.bytes ?? [] }

  /// Makes it longer or shorter, as somebody else on this host might.
  func resize(to byteCount: Int) { connection?.resize(to: byteCount) }

  /// How many requests of a kind have come so far.
  func count(_ operation: Fault.Operation) -> Int { connection?.count(operation) ?? 0 }

  /// Waits until so many requests are held.
  func awaitHeld(_ count: Int) throws { try connection?.awaitHeld(count) }

  /// Does what is held, or lets it fail with an errno.
  func release(failingWith error: Int32 = 0) { connection?.release(failingWith: error) }

  private var connection: FaultDiskServer? { server.withLock { $0 } }
}
