import GuestMemory
import LinuxIO
import NVMeController
import NVMeSpec
import Storage
import Testing

/// Memory that is taken away under commands in flight: `ControllerPort+Commands.swift`.
///
/// A read of a file goes into guest memory for as long as the disk takes. When the unmap is acknowledged, the test takes
/// the device's view away (an access by this process then ends it) and fills the memory (an access by the disk is seen).
@Suite struct ControllerPortCommandsTests {
  /// 32 MiB of the disk that are not what the tests fill memory with.
  private static let imageSize = 32 << 20

  private static func host(_ image: TestImage, gate: Gate? = nil) throws -> Host {
    try image.write([UInt8](repeating: 0x99, count: ControllerPortCommandsTests.imageSize), at: 0)
    return try Host([Namespace(try image.backend(gate: gate))], gates: gate.map { [$0] } ?? [])
  }

  /// Reads of 64 KiB each into consecutive parts of `ram`, from `offset` in the page.
  private static func reads(_ ram: GuestRAM, count: Int, offset: UInt64 = 0) -> [SubmissionQueueEntry] {
    (0..<count).map { index in
      let sgl = SGLDescriptor(
        type: .dataBlock, address: ram.base + UInt64(index) * 0x1_1000 + offset, length: 0x1_0000)
      return .transfer(.read, slba: UInt64(index * 128 % 65_536), blocks: 128, sgl: sgl)
    }
  }

  /// Waits until all commands have completed, well or with no memory for their data; how many went well.
  private static func finish(_ host: Host, _ queue: SubmissionRing, _ commands: [UInt16]) throws -> Int {
    let statuses = try commands.map { try host.completion(of: $0, on: queue).status }
    #expect(statuses.allSatisfy { $0 == .success || $0 == .dataTransferError })
    return statuses.count { $0 == .success }
  }

  private static func isFilled(_ ram: GuestRAM, _ byte: UInt8) -> Bool {
    let page = [UInt8](repeating: byte, count: 4096)
    return (0..<UInt64(ram.pageCount)).allSatisfy { ram.bytes(ram.base + $0 * 4096, 4096) == page }
  }

  /// Straight into guest memory, and through bounce buffers that most commands have to wait for.
  @Test(arguments: [0, 4] as [UInt64]) func unmapWaitsForWhatTouchesIt(offset: UInt64) throws {
    let image = try TestImage(size: ControllerPortCommandsTests.imageSize)
    let host = try ControllerPortCommandsTests.host(image)
    let queue = try host.createQueuePair(size: 256)
    for round in 0..<4 {
      let data = try GuestRAM(base: 0x2_0000_0000, megabytes: 16)
      let view = try data.view()
      try host.map(view.regions)
      let commands = host.submit(
        ControllerPortCommandsTests.reads(data, count: 200, offset: offset), on: queue)
      try host.wait("the first completion") { host.completions[1]?.entries.isEmpty == false }
      try host.unmap(view.regions[0])
      view.revoke()
      data.fill(data.base, data.pageCount * 4096, 0x11)
      let good = try ControllerPortCommandsTests.finish(host, queue, commands)
      #expect(good > 0, "round \(round)")
      try host.settle()
      #expect(ControllerPortCommandsTests.isFilled(data, 0x11), "written after the acknowledgement")
    }
  }

  /// Several ranges at a time, of which one command may touch two: each acknowledgement holds for its own range.
  @Test func severalUnmaps() throws {
    let image = try TestImage(size: ControllerPortCommandsTests.imageSize)
    let host = try ControllerPortCommandsTests.host(image)
    let queue = try host.createQueuePair(size: 256)
    for _ in 0..<4 {
      let data = try GuestRAM(base: 0x2_0000_0000, megabytes: 16)
      let view = try data.view()
      // Four ranges that follow each other, here as there: a transfer across two of them is one to the kernel.
      let regions = (0..<4).map { view.region(pages: ($0 * 1024)..<(($0 + 1) * 1024)) }
      try host.map(regions)
      let commands = host.submit(ControllerPortCommandsTests.reads(data, count: 200), on: queue)
      try host.wait("the first completion") { host.completions[1]?.entries.isEmpty == false }
      let acknowledged = Once()
      for region in [regions[2], regions[0], regions[3], regions[1]] {
        host.controller.unmap(iova: region.iova, size: region.size) {
          acknowledged.happened()
          data.fill(region.iova, Int(region.size), 0x11)
        }
      }
      _ = try ControllerPortCommandsTests.finish(host, queue, commands)
      try host.wait("the acknowledgements") { acknowledged.count == 4 }
      try host.settle()
      #expect(ControllerPortCommandsTests.isFilled(data, 0x11), "written after an acknowledgement")
    }
  }

  /// Everything at once, as when the client goes.
  @Test func unmapOfEverything() throws {
    let image = try TestImage(size: ControllerPortCommandsTests.imageSize)
    let host = try ControllerPortCommandsTests.host(image)
    let queue = try host.createQueuePair(size: 256)
    let data = try GuestRAM(base: 0x2_0000_0000, megabytes: 16)
    let view = try data.view()
    try host.map(view.regions)
    let commands = host.submit(ControllerPortCommandsTests.reads(data, count: 200), on: queue)
    try host.wait("the first completion") { host.completions[1]?.entries.isEmpty == false }
    try host.perform("the unmap") { host.controller.unmap(iova: 0, size: UInt64.max, then: $0) }
    view.revoke()
    host.view.revoke()
    data.fill(data.base, data.pageCount * 4096, 0x11)
    try host.settle()
    // The queues are back; what was in flight completes there.
    let queues = try host.ram.view()
    try host.map(queues.regions)
    _ = try ControllerPortCommandsTests.finish(host, queue, commands)
    #expect(ControllerPortCommandsTests.isFilled(data, 0x11))
    try host.unmap(queues.regions[0])
  }

  /// It waits for exactly those: a command that touches other memory, or none, holds nothing up.
  @Test func unmapWaitsForNothingElse() throws {
    let gate = try Gate()
    let image = try TestImage(size: ControllerPortCommandsTests.imageSize)
    let host = try ControllerPortCommandsTests.host(image, gate: gate)
    let queue = try host.createQueuePair()
    let data = try GuestRAM(base: 0x2_0000_0000, megabytes: 1)
    let view = try data.view()
    try host.map(view.regions)
    let slow = host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    #expect(try host.io(.transfer(.read, slba: 0, blocks: 8, data.base)).status == .success)
    try host.unmap(view.regions[0])
    #expect(host.completions[1]?.entries.isEmpty == true)
    gate.open()
    #expect(try host.completion(of: slow, on: queue).status == .success)
  }

  @Test func memoryThatIsGone() throws {
    let host = try Host([try .memory()])
    try host.createQueuePair()
    let data = try GuestRAM(base: 0x2_0000_0000, megabytes: 1)
    let view = try data.view()
    let read = SubmissionQueueEntry.transfer(.read, slba: 0, blocks: 8, data.base)
    for _ in 0..<5 {
      #expect(try host.io(read).status == .dataTransferError)
      try host.map(view.regions)
      #expect(try host.io(read).status == .success)
      try host.unmap(view.regions[0])
    }
    // Ranges that are not there.
    for (iova, size): (UInt64, UInt64) in [(0, 4096), (UInt64.max - 4095, 4096), (0x2_0000_0000, 1 << 20)] {
      try host.perform("the unmap") { host.controller.unmap(iova: iova, size: size, then: $0) }
    }
    #expect(try host.io(.flush()).status == .success)
  }

  /// Next to the memory of the queues there may be anything, and it may go.
  @Test func neighboursOfTheQueues() throws {
    let host = try Host(isEnabled: false)
    try host.unmap(host.view.regions[0])
    // The admin queues' two pages, with one before and one behind.
    let first = Int((host.adminSubmission.iova - host.ram.base) / 4096)
    let pages = (first..<(first + 4)).map { host.view.region(pages: $0..<($0 + 1)) }
    try host.map(pages)
    try host.setBusMaster(true)
    try host.enable()
    #expect(try host.admin(.getFeatures(1)).status == .success)
    for page in pages.dropFirst(2) { try host.unmap(page) }
    #expect(try host.admin(.getFeatures(1)).status == .success)
    for page in pages.dropFirst(2) { try host.map([page]) }
    #expect(try host.admin(.getFeatures(1)).status == .success)
  }
}
