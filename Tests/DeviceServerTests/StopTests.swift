import Glibc
import LinuxIO
import NVMeController
import NVMeSpec
import Storage
import Testing

@testable import DeviceServer

/// The end of a server, whatever its client is doing.
@Suite struct StopTests {
  private func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  @Test func aServerWithoutAClientEnds() throws {
    let device = try ServedDevice()
    #expect(exists(device.path))
    #expect(device.ended.drain() == 0)
    device.stop()
    #expect(device.ended.drain() == 1)
    #expect(!exists(device.path), "nobody can connect any more")
  }

  @Test func aClientIsLeftWithoutMemoryAndConnection() throws {
    let device = try ServedDevice()
    let client = try device.connect()
    let driver = try Driver.enabled(client)
    try driver.createQueues(vector: nil)
    #expect(try driver.identifies())
    let open = openDescriptors(ofTheFileBehind: driver.ram.descriptor)
    device.stop()
    #expect(device.ended.drain() == 1)
    #expect(client.isAtEnd())
    #expect(try driver.ram.mappings() == 0)
    #expect(openDescriptors(ofTheFileBehind: driver.ram.descriptor) == open)
  }

  @Test func aClientInTheMiddleOfAMessageIsNotWaitedFor() throws {
    let device = try ServedDevice()
    let client = try device.connect()
    try client.send(Array(command(Number.regionWrite, size: 1 << 20).prefix(12)))
    #expect(try device.connectSilently().isAtEnd(), "the server has been around since")
    device.stop()
    #expect(client.isAtEnd())
  }

  @Test func aClientThatDoesNotReadIsNotWaitedFor() throws {
    let device = try ServedDevice()
    let client = try device.connect()
    try client.send((0..<512).flatMap { _ in command(Number.regionRead, access(Region.config, 0, 4096)) })
    device.stop()
    #expect(device.ended.drain() == 1)
  }

  @Test func whoStopsBetweenTwoClientsWaitsForTheFirst() throws {
    for _ in 0..<20 {
      let device = try ServedDevice(threads: 2)
      let client = try device.connect()
      let driver = try Driver(client)
      client.disconnect()
      device.stop()
      #expect(try driver.ram.mappings() == 0)
    }
  }

  @Test func aServerOfOneConnectionEndsToo() throws {
    let pair = try UnixSocketPair()
    let device = try ServedDevice(serving: pair.first)
    let client = Client(pair.second)
    try client.negotiate()
    device.stop()
    #expect(client.isAtEnd())
  }

  /// Writes are in flight when the server ends: each is done or not, and none afterwards.
  @Test func whatIsInFlightIsAwaitedAndWhatWasAcknowledgedIsThere() throws {
    var name = Array("/var/tmp/nvmed-device-XXXXXX".utf8CString)
    let file = FileDescriptor(owning: mkstemp(&name))
    let path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer { unlink(path) }
    try #require(ftruncate(file.rawValue, 1 << 20) == 0)
    var options = try testOptions()
    let image = try DiskImage(path: path, options: ImageOptions(cache: .buffered))
    options.namespaces = [
      Namespace(
        backend: BlockBackend(image: image), nguid: [UInt8](repeating: 1, count: 16),
        uuid: [UInt8](repeating: 2, count: 16), eui64: [UInt8](repeating: 3, count: 8), discards: true)
    ]
    let device = try ServedDevice(options)
    let driver = try Driver.enabled(try device.connect())
    try driver.createQueues(vector: nil)
    let data = Driver.dataPage * 4096
    for block in 0..<4 {
      driver.ram.fill(UInt8(block + 1), data, 512)
      let write = Driver.transfer(0x01, block: UInt64(block), prp1: driver.address(Driver.dataPage))
      #expect(try driver.execute(write, queue: 1).status == .success)
    }
    driver.ram.fill(0xaa, data, 512)
    for block in 4..<14 {
      driver.put(Driver.transfer(0x01, block: UInt64(block), prp1: driver.address(Driver.dataPage)), queue: 1)
    }
    try driver.client.post(0x1008, driver.tail(1))
    device.stop()
    driver.ram.fill(0xbb, data, 512)
    #expect(try driver.ram.mappings() == 0)
    var bytes = [UInt8](repeating: 0xee, count: 14 * 512)
    #expect(pread(file.rawValue, &bytes, bytes.count, 0) == bytes.count)
    for block in 0..<14 {
      let content = Set(bytes[block * 512..<(block + 1) * 512])
      #expect(block < 4 ? content == [UInt8(block + 1)] : content == [0xaa] || content == [0])
    }
  }

  @Test func theControlThreadHasTheNameOfTheDevice() throws {
    let device = try ServedDevice(try testOptions(name: "fraktur"))
    let client = try device.connect()
    var names: [String] = []
    if let directory = opendir("/proc/self/task") {
      defer { closedir(directory) }
      while let entry = readdir(directory) {
        let task = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard let file = fopen("/proc/self/task/\(task)/comm", "re") else { continue }
        var line = [UInt8](repeating: 0, count: 32)
        let count = fread(&line, 1, line.count, file)
        fclose(file)
        names.append(String(decoding: line.prefix(count), as: UTF8.self))
      }
    }
    #expect(names.filter { $0 == "nvmed-fraktur\n" }.count == 1)
    client.disconnect()
  }
}
