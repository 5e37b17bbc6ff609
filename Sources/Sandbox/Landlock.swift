import CLinux
import Glibc
import LinuxIO

/// What the process may open and make from then on, by the kernel's Landlock (`landlock(7)`).
///
/// Descriptors that are open stay what they are. What is not allowed fails with `EACCES`, whatever the user may do.
struct Landlock {
  /// Accesses to files (`LANDLOCK_ACCESS_FS_*`), which kernels learned one after the other.
  struct Access: OptionSet, Sendable {
    let rawValue: UInt64
    static let execute = Access(rawValue: 1 << 0)
    static let write = Access(rawValue: 1 << 1)
    static let read = Access(rawValue: 1 << 2)
    static let readFolder = Access(rawValue: 1 << 3)
    static let removeFile = Access(rawValue: 1 << 5)
    static let makeSocket = Access(rawValue: 1 << 9)
    static let ioctl = Access(rawValue: 1 << 15)

    /// All that a version of Landlock knows: 13 accesses, then `REFER` (2), `TRUNCATE` (3) and `IOCTL_DEV` (5).
    static func known(version: Int32) -> Access {
      var bits: UInt64 = (1 << 13) - 1
      if version >= 2 { bits |= 1 << 13 }
      if version >= 3 { bits |= 1 << 14 }
      if version >= 5 { bits |= 1 << 15 }
      return Access(rawValue: bits)
    }

    /// What means something for a file that is no folder.
    static let ofFiles: Access = [.execute, .write, .read, Access(rawValue: 1 << 14), .ioctl]
  }

  /// `LANDLOCK_ACCESS_NET_BIND_TCP` and `CONNECT_TCP` (4).
  private static let network: UInt64 = 0b11
  /// `LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET` and `SIGNAL` (6).
  private static let scopes: UInt64 = 0b11

  /// The version of this kernel; nil where it has no Landlock, or it was not enabled at boot.
  static var version: Int32? {
    let version = clinux_landlock_version()
    return version >= 1 ? version : nil
  }

  private let version: Int32
  private let access: Access
  private let ruleset: RulesetDescriptor

  /// The owner of the ruleset, shared by copies of the value.
  private final class RulesetDescriptor: Sendable {
    let descriptor: FileDescriptor
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
  }

  /// A ruleset that allows nothing yet.
  ///
  /// - Parameters:
  ///   - version: of this kernel.
  ///   - limitsNetwork: whether TCP is forbidden too; a kernel before version 4 cannot.
  init(version: Int32, limitsNetwork: Bool) throws(Errno) {
    self.version = version
    access = Access.known(version: version)
    let number = clinux_landlock_ruleset(
      access.rawValue, version >= 4 && limitsNetwork ? Landlock.network : 0, version >= 6 ? Landlock.scopes : 0)
    try succeed(number)
    ruleset = RulesetDescriptor(FileDescriptor(owning: number))
  }

  /// Allows accesses to a file, or to everything below a folder.
  ///
  /// - Throws: `ENOENT` where there is no such path.
  func allow(_ path: String, _ wanted: Access) throws(Errno) {
    let file = try FileDescriptor(path: path, flags: Int32(CLINUX_O_PATH))
    let isFolder = try file.status().st_mode & S_IFMT == S_IFDIR
    let allowed = wanted.intersection(access).intersection(isFolder ? access : Access.ofFiles)
    guard !allowed.isEmpty else { return }
    try succeed(clinux_landlock_allow(ruleset.descriptor.rawValue, file.rawValue, allowed.rawValue))
  }

  /// Restricts the calling thread, and those that it starts from then on. After `no_new_privs`.
  func restrict() throws(Errno) { try succeed(clinux_landlock_restrict(ruleset.descriptor.rawValue)) }
}
