import Testing

@testable import NVMeController

/// How long a busy thread hears nobody: `EventLook.swift`.
@Suite struct EventLookTests {
  @Test func roundsAreBounded() {
    var look = EventLook()
    look.looked(now: 5)
    for _ in 1..<EventLook.roundLimit {
      let isDue = look.isDue(now: 5)
      #expect(!isDue)
    }
    let isDue = look.isDue(now: 5)
    #expect(isDue)
  }

  /// A round in which the kernel took its time is the last one.
  @Test func timeIsBounded() {
    var look = EventLook()
    look.looked(now: 5)
    var isDue = look.isDue(now: 4 + EventLook.timeLimit)
    #expect(!isDue)
    isDue = look.isDue(now: 5 + EventLook.timeLimit)
    #expect(isDue)
    look.looked(now: 5 + EventLook.timeLimit)
    isDue = look.isDue(now: 6 + EventLook.timeLimit)
    #expect(!isDue)
  }
}
