import KVM
import Testing

@testable import MicroVMM

@Suite struct DoorbellCostTests {
  /// Every way rings as often as it should, and is heard as often: the measurement checks it, and throws where not.
  @Test(.enabled(if: kvm == .available, "\(kvm)"))
  func everyWayIsRungAndHeard() throws {
    let ways = DoorbellCost.ways(PostWriteSupport.probe())
    let results = try DoorbellCost(ways: ways, DoorbellMeasurement(count: 20, rounds: 2)).run()
    #expect(results.map(\.way) == ways)
    for result in results {
      #expect(result.wall.count == 2)
      #expect(result.cpu.count == 2)
      #expect(result.wall.allSatisfy { $0 > 0 })
    }
  }

  @Test func theBaselineIsTakenOff() {
    let own = DoorbellCost.Result(way: .exit, wall: [10, 12], cpu: [7])
    let less = own.less(DoorbellCost.Result(way: .memory, wall: [1, 9, 4], cpu: [2]))
    #expect(less.way == .exit)
    #expect(less.wall == [6, 8])
    #expect(less.cpu == [5])
  }

  @Test func theRatioIsThatOfTheRounds() {
    let ratio = DoorbellCost.Result.ratio([10, 30, 80], to: [10, 10, 20])
    #expect(ratio.median == 3)
    #expect(ratio.least == 1)
    #expect(ratio.greatest == 4)
    #expect(DoorbellCost.Result.ratio([10], to: [-1]).median == 0)
    #expect(DoorbellCost.Result.ratio([], to: []).median == 0)
    #expect(DoorbellCost.Result.median([5, 1, 3]) == 3)
  }
}
