import Glibc

extension UnixSocket {
  /// `SO_PEERGROUPS`, which the C library's headers leave to `<asm/socket.h>`.
  private static let peerGroupsOption: Int32 = 59
  /// `NGROUPS_MAX`.
  private static let groupLimit = 65_536

  /// The supplementary groups of who is at the other end, as the kernel recorded them at `connect(2)`; empty where it
  /// does not say (before Linux 4.13).
  public static func peerGroups(_ fd: Int32) -> [gid_t] {
    var capacity = 64
    while capacity <= groupLimit {
      var groups = [gid_t](repeating: 0, count: capacity)
      var length = socklen_t(capacity * MemoryLayout<gid_t>.stride)
      if unsafe getsockopt(fd, SOL_SOCKET, peerGroupsOption, &groups, &length) == 0 {
        return Array(groups.prefix(Int(length) / MemoryLayout<gid_t>.stride))
      }
      guard Glibc.errno == ERANGE else { return [] }
      capacity *= 4
    }
    return []
  }
}
