import Testing

@testable import NVMeHost

@Suite struct PageAllocatorTests {
  @Test func takesTheFirstFit() {
    var allocator = PageAllocator(windows: [0..<8])
    #expect(allocator.allocate(3) == 0)
    #expect(allocator.allocate(2) == 3)
    #expect(allocator.allocate(3) == 5)
    #expect(allocator.freeCount == 0)
    #expect(allocator.allocate(1) == nil)
    allocator.free(3..<5)
    #expect(allocator.allocate(3) == nil)
    #expect(allocator.allocate(1) == 3)
    #expect(allocator.allocate(1) == 4)
  }

  @Test func staysInsideAWindow() {
    var allocator = PageAllocator(windows: [0..<3, 3..<5, 5..<9])
    #expect(allocator.allocate(1) == 0)
    #expect(allocator.allocate(4) == 5)
    #expect(allocator.allocate(3) == nil)
    #expect(allocator.allocate(2) == 1)
    #expect(allocator.allocate(2) == 3)
    #expect(allocator.freeCount == 0)
  }

  @Test func crossesWindowsOnRequest() {
    var allocator = PageAllocator(windows: [0..<3, 3..<5])
    #expect(allocator.allocate(4) == nil)
    #expect(allocator.allocate(4, acrossWindows: true) == 0)
    #expect(allocator.freeCount == 1)
  }

  @Test(arguments: [0, -1, 9, Int.max]) func refusesImpossibleCounts(count: Int) {
    var allocator = PageAllocator(windows: [0..<8])
    #expect(allocator.allocate(count) == nil)
    #expect(allocator.allocate(count, acrossWindows: true) == nil)
    #expect(allocator.freeCount == 8)
  }
}
