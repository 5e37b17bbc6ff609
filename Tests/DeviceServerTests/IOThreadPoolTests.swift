import LinuxIO
import NVMeController
import Testing

@testable import DeviceServer

@Suite struct IOThreadPoolTests {
  @Test(arguments: [(-1, 1), (0, 1), (1, 1), (3, 3)]) func thereIsAtLeastOneThread(asked: Int, threads: Int) throws {
    let pool = try startPool(threads: asked)
    #expect(pool.handles.count == threads)
    pool.stop()
  }

  @Test func controllersOfOneThreadShareIt() throws {
    var options = try testOptions()
    options.ioThread = 7
    let pool = try startPool(threads: 2)
    defer { pool.stop() }
    // Only one of two threads serves each of them: its number wraps.
    let devices = try (0..<3).map { _ in try ServedDevice(options, pool: pool) }
    let drivers = try devices.map { try Driver.enabled(try $0.connect()) }
    for driver in drivers {
      try driver.createQueues(vector: nil)
      let read = Driver.transfer(0x02, block: 0, prp1: driver.address(Driver.dataPage))
      #expect(try driver.execute(read, queue: 1).status == .success)
      // One thread: three descriptors are enough for all tails.
      let answer = try driver.client.exchange(command(Number.getRegionIOFDs, u32(16, 0, 0, 0)))
      #expect(answer == reply(Number.getRegionIOFDs, u32(16 + 10 * 48, 0, 0, 10)))
    }
    for driver in drivers { #expect(try driver.identifies()) }
  }

  @Test func aThreadServesAsManyControllersAsItHasPlacesFor() throws {
    var options = IOThreadPool.Options()
    options.requests = 64
    options.workers = 1
    options.controllers = 2
    let pool = try IOThreadPool.start(options)
    defer { pool.stop() }
    let devices = try (0..<3).map { _ in try ServedDevice(pool: pool) }
    let first = try devices[0].connect()
    let second = try devices[1].connect()
    #expect(try devices[2].connectSilently().isAtEnd(), "there is no place for it")
    second.disconnect()
    // A controller has its place as long as its client is there.
    let deadline = Clock.monotonic + UInt64(patience) * 1_000_000
    var isServed = false
    while !isServed, Clock.monotonic < deadline { isServed = (try? devices[2].connect()) != nil }
    #expect(isServed)
    first.disconnect()
  }
}
