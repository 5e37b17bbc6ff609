import Testing

@testable import Doorbells

@Suite struct DoorbellPlanTests {
  private typealias Descriptor = DoorbellPlan.Descriptor

  /// One entry, shorter.
  private func entry(_ offset: UInt64, _ event: Int) -> DoorbellPlan.Entry {
    DoorbellPlan.Entry(offset: offset, eventIndex: event, slotOffset: offset - 0x1000)
  }

  /// A plan for queues 1, 3, 5 on thread 0 and 2, 4, 6 on thread 1, and so on.
  private func plan(queues: UInt16, budget: Int, threads: Int) -> DoorbellPlan {
    DoorbellPlan(queues: queues, budget: budget, threads: threads) { (Int($0) - 1) % threads }
  }

  @Test(arguments: [Int.min, -1, 0, 1]) func aClientThatTakesLessThanTwoDescriptorsGetsNothing(budget: Int) {
    for threads in [1, 2, 8] {
      let plan = plan(queues: 64, budget: budget, threads: threads)
      #expect(plan.descriptors == [])
      #expect(plan.entries == [])
    }
  }

  @Test func twoDescriptorsAreThoseOfTheAdminQueue() {
    for threads in [1, 2, 8] {
      let plan = plan(queues: 3, budget: 2, threads: threads)
      #expect(plan.descriptors == [.slots, .submission(thread: nil)])
      #expect(plan.entries == [entry(0x1000, 1)])
    }
  }

  @Test func doorbellsWithoutValues() {
    func plan(_ queues: UInt16, budget: Int) -> DoorbellPlan {
      DoorbellPlan(valuelessQueues: queues, budget: budget, threads: 2) { (Int($0) - 1) % 2 }
    }
    let entries = [(0x1008, 0), (0x1010, 1), (0x1018, 0)].map {
      DoorbellPlan.Entry(offset: UInt64($0.0), eventIndex: $0.1, slotOffset: nil)
    }
    #expect(plan(3, budget: 2).descriptors == [.valueless(thread: 0), .valueless(thread: 1)])
    #expect(plan(3, budget: 2).entries == entries)
    #expect(plan(3, budget: 16) == plan(3, budget: 2))
    for (queues, budget) in [(UInt16(3), 1), (3, 0), (3, -1), (0, 8)] {
      #expect(plan(queues, budget: budget).descriptors.isEmpty && plan(queues, budget: budget).entries.isEmpty)
    }
  }

  @Test(arguments: [3, 4]) func oneThreadNeedsThreeDescriptorsForAllTails(budget: Int) {
    let plan = plan(queues: 3, budget: budget, threads: 1)
    #expect(plan.descriptors == [.slots, .submission(thread: nil), .submission(thread: 0)])
    #expect(plan.entries == [entry(0x1000, 1), entry(0x1008, 2), entry(0x1010, 2), entry(0x1018, 2)])
  }

  @Test(arguments: [5, 8, 16, 253]) func oneThreadNeedsFiveDescriptorsForAll(budget: Int) {
    let plan = plan(queues: 2, budget: budget, threads: 1)
    #expect(
      plan.descriptors == [
        .slots, .submission(thread: nil), .submission(thread: 0), .completion(thread: 0), .completion(thread: nil),
      ])
    #expect(
      plan.entries == [
        entry(0x1000, 1), entry(0x1004, 4), entry(0x1008, 2), entry(0x100c, 3), entry(0x1010, 2), entry(0x1014, 3),
      ])
  }

  /// The slots are not the client's business: one descriptor less.
  @Test func tracedDoorbellsNeedNoSlots() {
    func plan(_ budget: Int) -> DoorbellPlan {
      DoorbellPlan(queues: 1, budget: budget, isTraced: true, threads: 1) { _ in 0 }
    }
    #expect(plan(0) == DoorbellPlan(queues: 1, budget: 0, threads: 1) { _ in 0 })
    #expect(plan(1).descriptors == [.submission(thread: nil)])
    #expect(plan(1).entries == [entry(0x1000, 0)])
    #expect(plan(2).descriptors == [.submission(thread: nil), .submission(thread: 0)])
    #expect(plan(2).entries == [entry(0x1000, 0), entry(0x1008, 1)])
    #expect(
      plan(4).descriptors == [
        .submission(thread: nil), .submission(thread: 0), .completion(thread: 0), .completion(thread: nil),
      ])
    #expect(plan(4).entries == [entry(0x1000, 0), entry(0x1004, 3), entry(0x1008, 1), entry(0x100c, 2)])
  }

  /// Some tails by eventfd and others by message would be two paths for nothing.
  @Test func tailsOfSomeThreadsOnlyAreNotOffered() {
    #expect(plan(queues: 4, budget: 3, threads: 2).entries == [entry(0x1000, 1)])
    let tails = plan(queues: 4, budget: 4, threads: 2)
    #expect(tails.descriptors == [.slots, .submission(thread: nil), .submission(thread: 0), .submission(thread: 1)])
    #expect(
      tails.entries == [entry(0x1000, 1), entry(0x1008, 2), entry(0x1010, 3), entry(0x1018, 2), entry(0x1020, 3)])
    #expect(plan(queues: 4, budget: 6, threads: 2) == tails, "heads of some threads only are not offered either")
    let all = plan(queues: 2, budget: 7, threads: 2)
    #expect(
      all.descriptors == tails.descriptors + [.completion(thread: 0), .completion(thread: 1), .completion(thread: nil)])
    #expect(
      all.entries == [
        entry(0x1000, 1), entry(0x1004, 6), entry(0x1008, 2), entry(0x100c, 4), entry(0x1010, 3), entry(0x1014, 5),
      ])
  }

  @Test(arguments: [
    // budget, threads, descriptors, entries per queue
    (8, 3, 5, 1), (8, 6, 8, 1), (8, 7, 2, 0), (16, 6, 15, 2), (16, 7, 9, 1), (16, 14, 16, 1), (16, 15, 2, 0),
    (253, 125, 253, 2), (253, 126, 128, 1),
  ])
  func whatFitsIsOfferedForEveryQueue(budget: Int, threads: Int, descriptors: Int, perQueue: Int) {
    let queues: UInt16 = 64
    let plan = plan(queues: queues, budget: budget, threads: threads)
    #expect(plan.descriptors.count == descriptors)
    #expect(plan.descriptors.count <= budget)
    #expect(plan.entries.count == (perQueue == 0 ? 1 : 65 * perQueue))
    // Every entry names a descriptor of the reply that is an event of the queue's own thread.
    for entry in plan.entries {
      let queue = Int(entry.offset - 0x1000) / 8
      let thread = queue == 0 ? nil : (queue - 1) % threads
      let isHead = entry.offset % 8 == 4
      #expect(
        plan.descriptors[entry.eventIndex] == (isHead ? .completion(thread: thread) : .submission(thread: thread)))
      #expect(entry.slotOffset == entry.offset - 0x1000)
    }
    #expect(Set(plan.entries.map(\.offset)).count == plan.entries.count)
  }

  @Test func aControllerWithoutQueuesHasItsAdminQueue() {
    #expect(plan(queues: 0, budget: 16, threads: 1).entries == [entry(0x1000, 1), entry(0x1004, 4)])
  }
}
