import Glibc
import LinuxIO

/// Where a control server listens.
public enum ControlSocket {
  /// Listens on `path`. Before anybody can connect, the file is for its owner alone, or for its group too.
  ///
  /// - Parameters:
  ///   - path: at most 107 bytes; a socket that nobody listens on any more is replaced.
  ///   - group: the group whose members may connect.
  /// - Throws: `EADDRINUSE` where a process listens there or the file is no socket; `EPERM` where the daemon may not give
  ///   the file to the group; the `errno` of `bind(2)`.
  public static func listen(path: String, group: gid_t?) throws(Errno) -> UnixListener {
    let listener = try UnixListener(path: path, mode: 0o600, backlog: 64)
    guard let group else { return listener }
    guard unsafe chown(path, uid_t.max, group) == 0, unsafe chmod(path, 0o660) == 0 else { throw Errno.current }
    return listener
  }

  /// The number of a group: its name is looked up; nil where there is none.
  public static func group(named name: String) -> gid_t? {
    var entry = unsafe Glibc.group()
    var found: UnsafeMutablePointer<Glibc.group>?
    // A group with many members needs much room for their names.
    var buffer = [CChar](repeating: 0, count: 1 << 20)
    let count = buffer.count
    guard unsafe getgrnam_r(name, &entry, &buffer, count, &found) == 0, unsafe found != nil else {
      return gid_t(name)
    }
    return unsafe entry.gr_gid
  }
}
