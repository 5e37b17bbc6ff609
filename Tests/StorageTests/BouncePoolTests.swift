import Glibc
import LinuxIO
import Testing

@testable import Storage

@Suite struct BouncePoolTests {
  @Test func handsOutAlignedBuffersThatDoNotTouch() throws {
    var pool = try BouncePool(count: 5, byteCount: 5000)
    #expect(pool.byteCount == 5000)
    var addresses: Set<UInt> = []
    var taken: [Int] = []
    while let index = pool.take() {
      let address = pool.address(of: index)
      #expect(UInt(bitPattern: address) % 4096 == 0)
      memset(address, Int32(index + 1), 5000)
      addresses.insert(UInt(bitPattern: address))
      taken.append(index)
    }
    #expect(taken == [0, 1, 2, 3, 4])
    #expect(pool.freeCount == 0)
    #expect(addresses.count == 5)
    for index in taken {
      let bytes = UnsafeRawBufferPointer(start: pool.address(of: index), count: 5000)
      #expect(bytes.allSatisfy { $0 == UInt8(index + 1) })
    }
    pool.give(3)
    #expect(pool.freeCount == 1)
    #expect(pool.take() == 3)
    #expect(pool.take() == nil)
    for index in taken { pool.give(index) }
    #expect(pool.freeCount == 5)
  }

  @Test func refusesImpossibleSizes() {
    #expect(throws: Errno.invalidArgument) { _ = try BouncePool(count: 0, byteCount: 4096) }
    #expect(throws: Errno.invalidArgument) { _ = try BouncePool(count: 1, byteCount: 0) }
    #expect(throws: Errno.outOfMemory) { _ = try BouncePool(count: 2, byteCount: .max) }
    #expect(throws: Errno.outOfMemory) { _ = try BouncePool(count: .max, byteCount: 4096) }
  }

  @Test func aBufferIsGivenBackOnce() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardOutputContent]) {
      var pool = try BouncePool(count: 2, byteCount: 4096)
      let index = pool.take() ?? -1
      pool.give(index)
      print("given once")
      pool.give(index)
    }
    #expect(result?.standardOutputContent == Array("given once\n".utf8))
  }
}
