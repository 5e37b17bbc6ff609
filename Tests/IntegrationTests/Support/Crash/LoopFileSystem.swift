import Glibc
import LinuxIO

/// A file system in an image, mounted by way of a loop device.
///
/// It has no place among the files of this host: it is there as long as this is, or until this process ends.
final class LoopFileSystem {
  /// Whether this process may have one.
  static let isPossible =
    geteuid() == 0 && access("/dev/loop-control", R_OK | W_OK) == 0
    && access(mkfs, X_OK) == 0 && access(e2fsck, X_OK) == 0

  static let mkfs = "/usr/sbin/mkfs.ext4"
  static let e2fsck = "/usr/sbin/e2fsck"

  /// Runs one of these programs, which has to succeed.
  static func succeed(_ program: String, _ arguments: [String], _ what: String = "") throws {
    let process = try DaemonProcess(arguments, program: program)
    let end = try process.awaitEnd()
    guard end == .exit(0) else { throw TestFailure("\(what) \(program) \(arguments): \(end): \(process.log.text)") }
  }

  private var root: Int32
  private let device: LoopDevice

  /// Mounts what is on a loop device.
  init(_ device: LoopDevice, options: String = "") throws {
    var template = Array("/tmp/nvmed-mount-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno.current }
    let place = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { rmdir(place) }
    guard options.withCString({ mount(device.path, place, "ext4", 0, $0) }) == 0 else {
      throw TestFailure("mount: \(Errno.current)")
    }
    defer { umount2(place, Int32(MNT_DETACH)) }
    root = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard root >= 0 else { throw Errno.current }
    self.device = device
  }

  deinit { if root >= 0 { close(root) } }

  /// Unmounts it, and waits until all is written. A process that was just being started may have had a copy of the
  /// descriptor, so that closing it alone is not the end.
  func unmount() throws {
    close(root)
    root = -1
    try device.detach()
  }

  /// The path of a file in it, for this process.
  func path(_ name: String) -> String { "/proc/self/fd/\(root)/\(name)" }

  /// Makes the names of its files durable.
  func syncNames() throws { guard fsync(root) == 0 else { throw Errno.current } }
}

/// A loop device over a file, as long as this lives or something is mounted of it.
final class LoopDevice {
  let path: String
  private var device: Int32
  private let inode: UInt64

  /// - Parameter bypassesCache: whether it reads and writes the file directly.
  init(_ file: Int32, blockByteCount: Int = 512, bypassesCache: Bool = false) throws {
    let control = try FileDescriptor(path: "/dev/loop-control", flags: O_RDWR)
    // `struct loop_config`.
    var configuration = [UInt8](repeating: 0, count: 304)
    configuration.withUnsafeMutableBytes {
      $0.storeBytes(of: file, toByteOffset: 0, as: Int32.self)
      $0.storeBytes(of: UInt32(blockByteCount), toByteOffset: 4, as: UInt32.self)
      // LO_FLAGS_AUTOCLEAR, LO_FLAGS_DIRECT_IO
      $0.storeBytes(of: 4 | (bypassesCache ? 16 : 0), toByteOffset: 60, as: UInt32.self)
    }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw Errno.current }
    inode = UInt64(status.st_ino)
    let deadline = deadline()
    while true {
      let number = ioctl(control.rawValue, 0x4C82)  // LOOP_CTL_GET_FREE
      guard number >= 0 else { throw TestFailure("LOOP_CTL_GET_FREE: \(Errno.current)") }
      let path = "/dev/loop\(number)"
      let device = open(path, O_RDWR | O_CLOEXEC)
      guard device >= 0 else { throw Errno.current }
      if ioctl(device, 0x4C0A, &configuration) == 0 {  // LOOP_CONFIGURE
        self.path = path
        self.device = device
        return
      }
      let error = Errno.current
      close(device)
      // Somebody else may have been quicker.
      guard error == .busy, !isOver(deadline) else { throw TestFailure("LOOP_CONFIGURE: \(error)") }
    }
  }

  deinit { if device >= 0 { close(device) } }

  /// Waits until it has left its file, after everybody has closed it.
  func detach() throws {
    close(device)
    device = -1
    let deadline = deadline()
    var status = [UInt8](repeating: 0, count: 232)
    while true {
      let again = open(path, O_RDONLY | O_CLOEXEC)
      let isThere = ioctl(again, 0x4C05, &status) == 0  // LOOP_GET_STATUS64
      close(again)
      let inode = status.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self) }
      if !isThere || inode != self.inode { return }
      guard !isOver(deadline) else { throw TestFailure("\(path) is not given back") }
      sched_yield()
    }
  }
}
