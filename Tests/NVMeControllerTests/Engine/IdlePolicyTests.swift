import Testing

@testable import NVMeController

@Suite struct IdlePolicyTests {
  private func idle(_ policy: inout IdlePolicy, at now: UInt64, polled: Bool = false, busy: Bool = false)
    -> IdlePolicy.Pause
  {
    policy.pause(now: now, isPolled: polled, isStorageBusy: busy)
  }

  @Test func anEventDrivenThreadSleepsAtOnceUntilItHasSeenAShortSleep() {
    var policy = IdlePolicy(spinLimit: 20_000, sleepLimit: 1_000_000)
    #expect(idle(&policy, at: 0) == .untilEvent)
    policy.slept(50_000)
    #expect(policy.window == 0)
    #expect(idle(&policy, at: 100_000) == .untilEvent)
    policy.slept(4_000)
    #expect(policy.window == 8_000)
    #expect(idle(&policy, at: 200_000) == .none)
    #expect(idle(&policy, at: 207_999) == .none)
    #expect(idle(&policy, at: 208_000) == .untilEvent)
    #expect(policy.window == 4_000)
  }

  @Test func theWindowNeverExceedsItsLimitAndVanishesWhenNothingComes() {
    var policy = IdlePolicy(spinLimit: 20_000, sleepLimit: 1_000_000)
    #expect(idle(&policy, at: 0) == .untilEvent)
    policy.slept(19_999)
    #expect(policy.window == 20_000)
    var now: UInt64 = 1_000_000
    var rounds = 0
    while policy.window > 0, rounds < 100 {
      if idle(&policy, at: now) == .untilEvent { policy.slept(10_000_000) }
      now += 50_000
      rounds += 1
    }
    #expect(policy.window == 0)
    #expect(idle(&policy, at: now) == .untilEvent)
  }

  @Test func workBeginsTheWindowAnew() {
    var policy = IdlePolicy(spinLimit: 20_000, sleepLimit: 1_000_000)
    #expect(idle(&policy, at: 0) == .untilEvent)
    policy.slept(5_000)
    #expect(idle(&policy, at: 100_000) == .none)
    policy.worked()
    #expect(idle(&policy, at: 109_999) == .none)
    #expect(idle(&policy, at: 119_998) == .none)
    #expect(idle(&policy, at: 119_999) == .untilEvent)
  }

  @Test func whileTheDiskIsBusyAThreadSleepsAtOnceAndLearnsNothing() {
    var policy = IdlePolicy(spinLimit: 20_000, sleepLimit: 1_000_000)
    #expect(idle(&policy, at: 0) == .untilEvent)
    policy.slept(5_000)
    #expect(policy.window == 10_000)
    #expect(idle(&policy, at: 100_000, busy: true) == .untilEvent)
    policy.slept(19_000)
    #expect(policy.window == 10_000)
  }

  @Test func aLimitOfZeroNeverLooksOn() {
    var policy = IdlePolicy(spinLimit: 0, sleepLimit: 1_000_000)
    for now in stride(from: UInt64(0), to: 100_000, by: 1_000) {
      #expect(idle(&policy, at: now) == .untilEvent)
      policy.slept(100)
    }
  }

  @Test func aPolledThreadBacksOffInStepsToItsLimitAndIsBackAtOnce() {
    var policy = IdlePolicy(spinLimit: 20_000, sleepLimit: 50_000)
    #expect(idle(&policy, at: 0, polled: true) == .none)
    #expect(idle(&policy, at: IdlePolicy.busyTime - 1, polled: true) == .none)
    #expect(idle(&policy, at: IdlePolicy.busyTime, polled: true) == .sleep(10_000))
    #expect(idle(&policy, at: IdlePolicy.busyTime + 1, polled: true) == .sleep(20_000))
    #expect(idle(&policy, at: IdlePolicy.busyTime + 2, polled: true) == .sleep(40_000))
    #expect(idle(&policy, at: IdlePolicy.busyTime + 3, polled: true) == .sleep(50_000))
    #expect(idle(&policy, at: IdlePolicy.busyTime + 4, polled: true) == .sleep(50_000))
    policy.worked()
    #expect(idle(&policy, at: 1_000_000, polled: true) == .none)
  }
}
