import Glibc
import LinuxIO

/// Who may control the daemon: root, the user that the daemon runs as, and the members of one group.
public struct PeerPolicy: Sendable {
  /// The group; nil: none.
  public let group: gid_t?
  /// The user that the daemon runs as.
  let ownUser: uid_t

  /// A policy of this group.
  public init(group: gid_t? = nil) { self.init(group: group, ownUser: geteuid()) }

  init(group: gid_t?, ownUser: uid_t) {
    self.group = group
    self.ownUser = ownUser
  }

  /// Whether who is at the other end of a connected socket may.
  ///
  /// - Parameters:
  ///   - peer: what the kernel says of it.
  ///   - groups: its supplementary groups.
  func admits(_ peer: PeerCredentials, groups: @autoclosure () -> [gid_t]) -> Bool {
    if peer.userID == 0 || peer.userID == ownUser { return true }
    guard let group else { return false }
    return peer.groupID == group || groups().contains(group)
  }

  /// What who may not is told.
  func refusal(of peer: PeerCredentials) -> RPCError {
    let others = group.map { ", user \(ownUser) and the members of group \($0)" } ?? " and user \(ownUser)"
    return RPCError(
      .accessDenied, "user \(peer.userID) may not control this daemon: root\(others) may")
  }
}
