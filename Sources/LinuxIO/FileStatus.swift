import Glibc

/// What the kernel says of a file that need not be open.
public enum FileStatus {
  /// Of what a path leads to (`stat(2)`).
  ///
  /// - Throws: the `errno` of the call.
  public static func of(_ path: String) throws(Errno) -> stat {
    var found = stat()
    _ = try checked { unsafe stat(path, &found) }
    return found
  }

  /// Of what is at a path, a symbolic link too (`lstat(2)`).
  ///
  /// - Throws: the `errno` of the call.
  public static func at(_ path: String) throws(Errno) -> stat {
    var found = stat()
    _ = try checked { unsafe lstat(path, &found) }
    return found
  }

  /// Whether the process's user may do something with what a path leads to (`faccessat(2)` with `AT_EACCESS`).
  ///
  /// - Parameters:
  ///   - path: a path.
  ///   - mode: `R_OK`, `W_OK`, `X_OK`.
  /// - Throws: the `errno` of the call.
  public static func requireAccess(_ path: String, _ mode: Int32) throws(Errno) {
    _ = try checked { unsafe faccessat(AT_FDCWD, path, mode, AT_EACCESS) }
  }
}
