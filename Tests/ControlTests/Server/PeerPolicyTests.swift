import Glibc
import LinuxIO
import Testing

@testable import Control

@Suite struct PeerPolicyTests {
  private func peer(_ user: uid_t, _ group: gid_t) -> PeerCredentials {
    PeerCredentials(processID: 1, userID: user, groupID: group)
  }

  @Test func admitsRootTheDaemonsUserAndOneGroup() {
    let policy = PeerPolicy(group: 50, ownUser: 1000)
    #expect(policy.admits(peer(0, 0), groups: []))
    #expect(policy.admits(peer(1000, 7), groups: []))
    #expect(policy.admits(peer(1001, 50), groups: []))
    #expect(policy.admits(peer(1001, 7), groups: [3, 50]))
    #expect(!policy.admits(peer(1001, 7), groups: [0, 3, 51]))
    #expect(!policy.admits(peer(65534, 0), groups: [0]))
    let closed = PeerPolicy(group: nil, ownUser: 1000)
    #expect(closed.admits(peer(1000, 7), groups: []))
    #expect(!closed.admits(peer(1001, 0), groups: [0]))
  }

  @Test func saysWhoMay() {
    #expect(
      PeerPolicy(group: 50, ownUser: 1000).refusal(of: peer(7, 7)).message
        == "user 7 may not control this daemon: root, user 1000 and the members of group 50 may")
    #expect(
      PeerPolicy(group: nil, ownUser: 0).refusal(of: peer(7, 7)).message
        == "user 7 may not control this daemon: root and user 0 may")
  }

  @Test func tellsThePeersGroups() throws {
    let pair = try UnixSocketPair()
    var own = [gid_t](repeating: 0, count: 65_536)
    let count = Int(getgroups(Int32(own.count), &own))
    #expect(Set(UnixSocket.peerGroups(pair.first.rawValue)) == Set(own.prefix(count)))
    #expect(UnixSocket.peerGroups(-1).isEmpty)
  }

  /// Root may always; as root this is tested through the built daemon.
  @Test(.enabled(if: geteuid() != 0)) func refusesWithOneSentence() throws {
    let server = try TestServer(policy: PeerPolicy(group: nil, ownUser: geteuid() + 1))
    let client = try server.connect()
    #expect(try client.line()?.contains(#""error":{"code":-32002,"message":"user \#(geteuid()) may not"#) == true)
    #expect(try client.line() == nil)
    server.stop()
  }
}
