import Doorbells
import Glibc
import KVM
import Testing

@testable import MicroVMM

@Suite(.enabled(if: kvm == .available, "\(kvm)")) struct DoorbellRoundTripTests {
  /// Every way comes round as often as it should: the guest goes on only when it has seen the right answer.
  @Test(arguments: [
    DoorbellRoundTrip.Waiting.spinning, .halting(pollNanoseconds: 0), .halting(pollNanoseconds: 200_000),
  ])
  func everyWayComesRound(_ waiting: DoorbellRoundTrip.Waiting) throws {
    // Not by eBPF: other VMs of this process may run at the same time, and a tracer cannot tell them apart.
    let ways = DoorbellRoundTrip.ways(
      PostWriteSupport.probe(), traces: false, processors: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    #expect(ways.count >= 3)
    let results = try DoorbellRoundTrip(ways: ways, waiting: waiting, DoorbellMeasurement(count: 20, rounds: 2)).run()
    #expect(results.map(\.way) == ways)
    for result in results { #expect(result.wall.count == 2 && result.wall.allSatisfy { $0 > 0 }) }
  }

  @Test func aServerThatPollsNeedsAProcessor() {
    #expect(
      DoorbellRoundTrip.ways(.supported, traces: true, processors: 1)
        == [.messageWithReply, .postedMessage, .softwarePost, .traced, .postWrite])
    #expect(DoorbellRoundTrip.ways(.supported, traces: true, processors: 2) == DoorbellRoundTrip.Way.allCases)
    #expect(
      DoorbellRoundTrip.ways(.refused(.invalidArgument), traces: false, processors: 2)
        == [.messageWithReply, .postedMessage, .softwarePost, .mappedPage])
  }

  @Test func waysThatNeedATracerSaySo() {
    #expect(throws: (any Error).self) {
      try DoorbellRoundTrip(ways: [.traced], waiting: .spinning, DoorbellMeasurement(count: 1, rounds: 1)).run()
    }
  }
}
