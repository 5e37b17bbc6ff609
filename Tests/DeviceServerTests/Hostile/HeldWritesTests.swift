import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import DeviceServer
@testable import NVMeController
@testable import Storage

/// REGION_WRITE_MULTI whose writes have to wait for commands in flight.
@Suite struct HeldWritesTests {
  /// A disk that keeps Write Zeroes until it is told to go on.
  private final class Disk: Sendable {
    let arrived: EventFD
    private let goes: EventFD

    init() throws(Errno) {
      arrived = try EventFD()
      goes = try EventFD()
    }

    func goOn() { goes.signal() }

    func options() throws -> DeviceOptions {
      var path = Array("/var/tmp/nvmed-held-XXXXXX".utf8CString)
      let file = FileDescriptor(owning: mkstemp(&path))
      unlink(path)
      guard ftruncate(file.rawValue, 1 << 20) == 0 else { throw Errno.current }
      var calls = StorageCalls.system
      calls.allocate = { [self] _, _, _, _ in
        arrived.signal()
        goes.wait(timeout: 60_000)
        return nil
      }
      let image = try DiskImage(
        descriptor: file, name: "disk", options: ImageOptions(cache: .buffered, lock: false), calls: calls)
      var options = try testOptions()
      let first = try #require(options.namespaces[0])
      options.namespaces = [
        Namespace(
          backend: BlockBackend(image: image), nguid: first.nguid, uuid: first.uuid, eui64: first.eui64, discards: true)
      ]
      return options
    }
  }

  private static let zeroes = SubmissionQueueEntry(cdw0: 0x08, namespaceIdentifier: 1)
  /// Bus Master off, which waits for the command, and then the interrupt line.
  private static let writes =
    u64(2) + access(Region.config, 4, 2) + u64(2) + access(Region.config, 0x3c, 1) + u64(0x55)

  private func begin(_ disk: Disk, _ client: Client) throws -> Driver {
    let driver = try Driver.enabled(client)
    try driver.createQueues(vector: nil)
    driver.put(HeldWritesTests.zeroes, queue: 1)
    try driver.ring(1)
    let hasArrived = disk.arrived.wait(timeout: 60_000)
    #expect(hasArrived)
    return driver
  }

  /// Once the client was told that the message could not be done, nothing more of it is.
  @Test func whatWasRefusedIsNotDoneLater() throws {
    let disk = try Disk()
    let client = try ServedDevice(try disk.options()).connect()
    let driver = try begin(disk, client)
    #expect(
      try client.exchange(command(Number.writeMulti, HeldWritesTests.writes)) == refusal(Number.writeMulti, EBUSY))
    disk.goOn()
    try client.setBusMaster(true)
    #expect(try driver.awaitCompletion(1).status == .success)
    // The control thread has heard of the end of the command when it has answered one of its own.
    #expect(try driver.identifies())
    #expect(try client.read(Region.config, 0x3c, 1) == 0)
  }

  /// The client goes while its message waits; the next one has the device as after a reset.
  @Test func whoseClientGoes() throws {
    let disk = try Disk()
    let device = try ServedDevice(try disk.options())
    let client = try device.connect()
    _ = try begin(disk, client)
    // Off and on again, and the whole of an enabling behind it.
    var writes: [UInt8] = []
    for value in [2, 6, 2, 6] as [UInt64] { writes += access(Region.config, 4, 2) + u64(value) }
    let registers: [(UInt64, UInt64)] = [
      (0x24, 0x001f_001f), (0x28, 0x10_0000), (0x30, 0x10_1000), (0x14, 0x0046_0001),
    ]
    for (offset, value) in registers {
      writes += access(Region.bar0, offset, 4) + u64(value)
    }
    try client.send(command(Number.writeMulti, u64(8) + writes))
    client.disconnect()
    disk.goOn()
    let next = try device.connect()
    #expect(try next.read(Region.config, 4, 2) == 0)
    #expect(try next.read(Region.bar0, 0x14, 4) == 0)
    let driver = try Driver.enabled(next)
    #expect(try driver.identifies())
  }
}
