import Glibc

/// What the process was given at its start. Before other threads run: nobody locks the environment.
public enum ProcessEnvironment {
  /// The value of a variable; nil where there is none.
  public static func value(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }

  /// Takes a variable out, so that nobody else sees it.
  public static func remove(_ name: String) { unsafe unsetenv(name) }

  /// The folder that relative paths begin at; nil where it is gone.
  public static var workingFolder: String? {
    guard let folder = unsafe getcwd(nil, 0) else { return nil }
    defer { unsafe free(folder) }
    return unsafe String(cString: folder)
  }

  /// A path from the root, as long as the working folder is there.
  public static func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/"), let folder = workingFolder else { return path }
    return folder + "/" + path
  }
}
