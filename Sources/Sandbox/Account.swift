import CLinux
import Glibc
import LinuxIO

/// The user and group that a daemon that was started as root becomes.
public struct Account: Equatable, Sendable {
  /// The name that its further groups are those of.
  public let name: String
  /// Its number.
  public let user: uid_t
  /// The number of its group.
  public let group: gid_t

  /// Looks an account up.
  ///
  /// - Parameters:
  ///   - user: its name.
  ///   - group: the name of another group than its main one.
  /// - Throws: a sentence where there is no such user or group.
  public init(user: String, group: String? = nil) throws(SandboxError) {
    var number: uid_t = 0
    var mainGroup: gid_t = 0
    guard unsafe clinux_find_user(user, &number, &mainGroup) == 0 else {
      throw SandboxError(
        "daemon.user: this host has no user '\(user)'; create it (systemd-sysusers, useradd --system \(user)), or name "
          + "another")
    }
    if let group, unsafe clinux_find_group(group, &mainGroup) != 0 {
      throw SandboxError("daemon.group: this host has no group '\(group)'; create it, or name another")
    }
    name = user
    self.user = number
    self.group = mainGroup
  }

  /// Becomes this account, for good: all threads of the process.
  ///
  /// Does nothing where the process is that account already.
  ///
  /// - Parameter kept: capabilities that stay permitted, as far as there are any.
  /// - Throws: a sentence, where the process is neither root nor that account.
  public func become(keeping kept: Set<Capability> = []) throws(SandboxError) {
    if geteuid() == user, getegid() == group, geteuid() != 0 { return }
    guard geteuid() == 0 else {
      throw SandboxError(
        "daemon.user: only root can become '\(name)', and nvmed runs as user \(geteuid()); start it as root, or leave the "
          + "key out")
    }
    do throws(Errno) {
      if !kept.isEmpty { try succeed(clinux_keep_capabilities()) }
      try succeed(unsafe clinux_become(name, user, group))
    } catch { throw SandboxError("daemon.user: nvmed cannot become '\(name)': \(error)") }
  }
}
