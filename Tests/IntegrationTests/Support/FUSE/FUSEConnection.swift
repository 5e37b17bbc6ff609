import CLinux
import Glibc
import LinuxIO
import Synchronization

/// The server's end of a mounted FUSE file system, in a table of descriptors that the serving threads have for
/// themselves: the thread that makes it, and those that it starts, have no other descriptors from then on, and nobody
/// else has this one.
final class FUSEConnection: Sendable {
  /// Where others may open the file (`O_PATH`), until `hideMount()`: the mount is in no folder.
  let path: String
  private let device: Int32
  /// -1: hidden.
  private let mount: Atomic<Int32>

  /// `CLOSE_RANGE_UNSHARE`.
  private static let unshare = 2

  /// Gives the calling thread an empty table of descriptors, and mounts.
  init() throws(Errno) {
    // Of a table that was shared before nothing is copied, and so nothing has to be closed.
    guard clinux_system_call(Int(SYS_close_range), 0, Int(UInt32.max), Self.unshare, 0, 0) == 0 else {
      throw Errno.current
    }
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK)
    let context = fsopen("fuse", UInt32(FSOPEN_CLOEXEC))
    guard device >= 0, context >= 0 else { throw Errno.current }
    let parameters = [
      ("source", "nvmed-test"), ("fd", "\(device)"), ("rootmode", "100600"), ("user_id", "0"), ("group_id", "0"),
    ]
    for (key, value) in parameters {
      guard fsconfig(context, FSCONFIG_SET_STRING.rawValue, key, value, 0) == 0 else { throw Errno.current }
    }
    guard fsconfig(context, FSCONFIG_CMD_CREATE.rawValue, nil, nil, 0) == 0 else { throw Errno.current }
    let mount = fsmount(context, UInt32(FSMOUNT_CLOEXEC), UInt32(MOUNT_ATTR_NOSUID))
    guard mount >= 0 else { throw Errno.current }
    close(context)
    self.mount = Atomic(mount)
    var thread = [CChar](repeating: 0, count: 64)
    guard readlink("/proc/thread-self", &thread, thread.count - 1) > 0 else { throw Errno.current }
    path = "/proc/\(String(decoding: thread.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self))/fd/\(mount)"
  }

  /// Lets go of the mount: the end of this thread is not the end of a file system then, which would ask the server.
  func hideMount() {
    let mount = mount.exchange(-1, ordering: .relaxed)
    if mount >= 0 { close(mount) }
  }

  /// Waits for a request.
  ///
  /// - Parameters:
  ///   - buffer: room for any.
  ///   - isStopping: asked every now and then until the mount is hidden, as nobody can wake the thread before.
  /// - Returns: nil where there is none to come.
  func receive(_ buffer: inout [UInt8], unless isStopping: () -> Bool) -> FUSERequest? {
    while true {
      let isHidden = mount.load(ordering: .relaxed) < 0
      if !isHidden, isStopping() { return nil }
      var watched = pollfd(fd: device, events: Int16(POLLIN), revents: 0)
      guard poll(&watched, 1, isHidden ? -1 : 100) > 0 else { continue }
      let count = read(device, &buffer, buffer.count)
      if count < 0, errno == EAGAIN || errno == EINTR || errno == ENOENT { continue }
      return count > 0 ? FUSERequest(buffer, count: count) : nil
    }
  }

  /// Answers a request with success.
  func reply(_ unique: UInt64, _ body: FUSEBytes) { reply(unique, error: 0, body.bytes) }

  /// Answers a request.
  func reply(_ unique: UInt64, error: Int32, _ body: [UInt8] = []) {
    var header = FUSEBytes()
    header.add(UInt32(FUSE.outHeaderByteCount + body.count))
    header.add(0 - error)
    header.add(unique)
    let bytes = header.bytes + body
    _ = write(device, bytes, bytes.count)
  }

  /// Lets every request fail, those that are there and those to come.
  func end() {
    close(device)
    hideMount()
  }
}
