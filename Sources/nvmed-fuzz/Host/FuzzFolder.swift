import CLinux
import Glibc
import LinuxIO

/// A folder for the files of a target that opens files and sockets by their paths, and cannot make sockets elsewhere.
enum FuzzFolder {
  /// The same path in every process, so that inputs can name it: the folder is behind a descriptor.
  static let path = "/proc/self/fd/\(number)"
  private static let number: Int32 = 99
  nonisolated(unsafe) private static var realPath = ""

  /// Makes the folder, with an image in it.
  static func make() {
    // In memory where that can be.
    for place in ["/dev/shm", "/tmp"] where realPath.isEmpty {
      var name = Array("\(place)/nvmed-fuzz-XXXXXX".utf8CString)
      if let made = mkdtemp(&name) { realPath = String(cString: made) }
    }
    guard !realPath.isEmpty else { fatalError("no folder: \(Errno.current)") }
    let folder = open(realPath, Int32(CLINUX_O_PATH) | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0, dup2(folder, number) == number else { fatalError("no folder: \(Errno.current)") }
    close(folder)
    let image = open("\(realPath)/image", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard image >= 0, ftruncate(image, 1 << 16) == 0 else { fatalError("no image: \(Errno.current)") }
    close(image)
    confine()
    atexit { FuzzFolder.remove() }
  }

  /// Sockets can be made in the folder only, as an input may name any path. Without Landlock they can be made anywhere
  /// where the user may.
  private static func confine() {
    let makeSocket: UInt64 = 1 << 9
    let ruleset = clinux_landlock_ruleset(makeSocket, 0, 0)
    guard ruleset >= 0 else { return }
    guard clinux_landlock_allow(ruleset, number, makeSocket) == 0, clinux_no_new_privileges() == 0,
      clinux_landlock_restrict(ruleset) == 0
    else { fatalError("Landlock: \(Errno.current)") }
    close(ruleset)
  }

  private static func remove() {
    guard let folder = opendir(realPath) else { return }
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      unlink("\(realPath)/\(name)")
    }
    closedir(folder)
    rmdir(realPath)
  }
}
