import Testing

@testable import KVM

@Suite struct CoalescedWriteTests {
  private static func ring(first: UInt32, last: UInt32) -> UnsafeMutableRawPointer {
    let ring = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 8)
    ring.initializeMemory(as: UInt8.self, repeating: 0xff, count: 4096)
    ring.storeBytes(of: first, as: UInt32.self)
    ring.storeBytes(of: last, toByteOffset: 4, as: UInt32.self)
    for entry in 0..<170 {
      ring.storeBytes(of: UInt64(entry) + 0x1000, toByteOffset: 8 + entry * 24, as: UInt64.self)
      ring.storeBytes(of: 4, toByteOffset: 16 + entry * 24, as: UInt32.self)
      ring.storeBytes(of: UInt32(entry), toByteOffset: 24 + entry * 24, as: UInt32.self)
    }
    return ring
  }

  @Test(arguments: [(0, 0, 0), (0, 3, 3), (168, 1, 3), (169, 0, 1), (5, 4, 169)])
  func takes(_ first: Int, _ last: Int, _ count: Int) {
    let ring = CoalescedWriteTests.ring(first: UInt32(first), last: UInt32(last))
    defer { ring.deallocate() }
    let writes = CoalescedWrite.take(ring)
    #expect(writes.map(\.address) == (0..<count).map { UInt64((first + $0) % 170) + 0x1000 })
    #expect(writes.map(\.value) == (0..<count).map { UInt64((first + $0) % 170) })
    #expect(ring.load(as: UInt32.self) == UInt32(last))
    #expect(CoalescedWrite.take(ring).isEmpty)
  }

  @Test(.enabled(if: kvm == .available, "\(kvm)")) func aGuestsWritesAreKept() throws {
    var guest = try SmallGuest {
      $0.mov(.fs(0), 0x1234_5678)
      $0.mov(.fs(0), 0x9abc_def0)
      $0.hlt()
    }
    try guest.machine.coalesceWrites(at: SmallGuest.deviceAddress, count: 4)
    #expect(try guest.run(VCPUKick()) == .halt)
    #expect(
      guest.takeCoalescedWrites()
        == [0x1234_5678, 0x9abc_def0].map {
          CoalescedWrite(address: SmallGuest.deviceAddress, value: $0)
        })
  }
}
