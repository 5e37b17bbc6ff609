import Glibc
import NVMeHost
import NVMeSpec
import Testing

/// Data through the whole daemon to a real file and back, by every way that a doorbell, a completion and a buffer can go.
@Suite struct DataPathTests {
  struct Path: CustomTestStringConvertible, Sendable {
    var blockByteCount: Int
    var doorbells: DoorbellMechanism
    var interrupts: Bool
    /// `--shadow-doorbells`; nil: the driver knows nothing of them.
    var shadow: String?

    var testDescription: String {
      "blocks of \(blockByteCount), doorbells \(doorbells), \(interrupts ? "interrupts" : "polling")"
        + (shadow.map { ", shadow doorbells \($0)" } ?? "")
    }

    var options: [String] {
      (doorbells == .mappedPage ? ["--doorbells", "poll"] : []) + (shadow.map { ["--shadow-doorbells", $0] } ?? [])
    }

    var hostOptions: HostOptions {
      var options = HostOptions(doorbells: doorbells, vectors: interrupts ? 2 : 0)
      options.shadowDoorbells = shadow != nil
      return options
    }

    static let all =
      [512, 4096].flatMap { blockByteCount in
        [DoorbellMechanism.slots, .socket(posted: true), .socket(posted: false), .mappedPage].flatMap { doorbells in
          [false, true].map { Path(blockByteCount: blockByteCount, doorbells: doorbells, interrupts: $0) }
        }
      } + shadowed

    static let shadowed = [
      (DoorbellMechanism.slots, "on"), (.socket(posted: true), "on"), (.socket(posted: false), "required"),
      (.eventfds, "required"), (.mappedPage, "on"),
    ].map { Path(blockByteCount: 512, doorbells: $0.0, interrupts: true, shadow: $0.1) }
  }

  @Test(arguments: Path.all)
  func writesAndReadsBack(_ path: Path) throws {
    let size = path.blockByteCount
    let served = try ServedController(blockByteCount: size, options: path.options)
    let host = try served.host(path.hostOptions)
    var queue = try host.createQueue(1, depth: 64, vector: path.interrupts ? 1 : nil)
    let namespace = try host.namespace(1)
    #expect(namespace.blockByteCount == size)
    #expect(namespace.blockCount == UInt64(16 << 20) / UInt64(size))
    let limit = try #require(host.maximumTransferByteCount)

    var slba: UInt64 = 3
    for (number, byteCount) in [1, 2, 8, 9, 16, 31, 64].map({ $0 * size }).filter({ $0 < limit }).appending(limit)
      .enumerated()
    {
      for kind in [DataPointerKind.prp, .sgl(), .sgl(limit: 4096, perSegment: 4)] {
        let version = UInt64(number + 1)
        let (source, target) = (try host.memory.allocate(byteCount), try host.memory.allocate(byteCount))
        try queue.writePattern(source, slba: slba, version: version, blockByteCount: size, kind)
        try queue.readPattern(target, slba: slba, version: version, blockByteCount: size, kind)
        let bytes = try served.images[0].read(at: Int(slba) * size, count: byteCount)
        #expect(
          bytes
            == BlockPattern.bytes(slba: slba, blocks: byteCount / size, version: version, blockByteCount: size),
          "\(byteCount) bytes at block \(slba) of the image, \(kind)")
        slba += UInt64(byteCount / size)
        host.memory.free(source)
        host.memory.free(target)
      }
    }
    // What nobody wrote is as it was.
    #expect(try served.images[0].read(at: 0, count: 3 * size) == [UInt8](repeating: 0, count: 3 * size))
    let violations = queue.violations
    #expect(violations == 0)
    try host.deleteQueue(queue)
    host.disconnect()
    try served.daemon.terminate()
  }

  /// The disk wants aligned memory; guests need not give it. The bytes around a buffer stay as they are.
  @Test(arguments: [512, 4096])
  func takesMisalignedBuffers(_ size: Int) throws {
    let served = try ServedController(blockByteCount: size)
    let host = try served.host()
    var queue = try host.createQueue(1, depth: 16)
    let area = try host.memory.allocate(64 << 10)
    var slba: UInt64 = 0
    for offset in [0, 4, 8, 256, 508, 512, 2048, 2052, 4088, 4092, 4096 + 4] {
      for byteCount in [size, 3 * size, 40 << 10] {
        let blocks = byteCount / size
        for kind in [DataPointerKind.prp, .sgl(), .sgl(limit: 1536, perSegment: 8), .sgl(limit: 516)] {
          let data = area[offset..<offset + blocks * size]
          let version = UInt64(offset + 1)
          try queue.writePattern(data, slba: slba, version: version, blockByteCount: size, kind)
          area.fill(0x5A)
          try queue.readPattern(data, slba: slba, version: version, blockByteCount: size, kind)
          let isKept =
            (offset == 0 || area[0..<offset].isFilled(with: 0x5A))
            && area[offset + data.count..<area.count].isFilled(with: 0x5A)
          #expect(isKept, "bytes around a buffer of \(data.count) at \(offset), \(kind)")
          slba = (slba + UInt64(blocks)) % 1000
        }
      }
    }
    host.disconnect()
    try served.daemon.terminate()
  }

  /// A data buffer whose pages lie in several ranges of guest memory.
  @Test func crossesRangesOfGuestMemory() throws {
    let served = try ServedController()
    let memory = try HostMemory(parts: [(0x1_0000_0000, 1 << 20), (0x8000_0000, 1 << 20), (0x40_0000_0000, 8 << 20)])
    let host = try served.host(memory: memory)
    var queue = try host.createQueue(1, depth: 16)
    let data = try memory.allocate(3 << 20, contiguous: false)
    for start in [(1 << 20) - 8192, (2 << 20) - 4096] {
      for kind in [DataPointerKind.prp, .sgl()] {
        let part = data[start - data.offset..<start - data.offset + 65_536]
        try queue.writePattern(part, slba: UInt64(start / 512), version: 7, blockByteCount: 512, kind)
        try queue.readPattern(part, slba: UInt64(start / 512), version: 7, blockByteCount: 512, kind)
      }
    }
    host.disconnect()
    try served.daemon.terminate()
  }
}

extension Array {
  fileprivate func appending(_ element: Element) -> [Element] { self + [element] }
}
