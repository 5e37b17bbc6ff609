import NVMeSpec
import Storage
import Testing

@testable import NVMeController

/// Namespaces that come, go or change: `Controller+Namespaces.swift`.
@Suite struct ControllerNamespacesTests {
  /// Active Namespace ID list: Identify, CNS 02h.
  private static func active(_ host: Host) throws -> [UInt32] {
    let data = host.ram.allocate()
    try #require(try host.admin(.identify(IdentifyCNS.activeNamespaceList.rawValue, to: data)).status == .success)
    return try #require(NamespaceList(decoding: host.ram.bytes(data, 4096))).identifiers
  }

  /// Identify Namespace: CNS 00h.
  private static func namespace(_ host: Host, _ nsid: UInt32) throws -> IdentifyNamespace {
    let data = host.ram.allocate()
    let status = try host.admin(.identify(IdentifyCNS.namespace.rawValue, nsid: nsid, to: data)).status
    try #require(status == .success)
    return try #require(IdentifyNamespace(decoding: host.ram.bytes(data, 4096)))
  }

  /// Identifiers are 1 to NN (base specification, 3.2.1): one beyond it is refused and changes nothing.
  @Test func identifiers() throws {
    let host = try Host([try .memory()]) { $0.namespaceLimit = 2 }
    for nsid: UInt32 in [0, 3, UInt32.max - 1, UInt32.max] {
      #expect(try !host.setNamespace(nsid, .memory()))
      #expect(try !host.setNamespace(nsid, nil))
    }
    #expect(try ControllerNamespacesTests.active(host) == [1])
    #expect(try host.setNamespace(2, .memory()))
    #expect(try ControllerNamespacesTests.active(host) == [1, 2])
    // There may be none at all.
    #expect(try host.setNamespace(1, nil) && host.setNamespace(2, nil))
    #expect(try ControllerNamespacesTests.active(host).isEmpty)
    #expect(try ControllerNamespacesTests.namespace(host, 1).encode().allSatisfy { $0 == 0 })
  }

  /// Each has its own blocks, as many and as large as Identify says at that time.
  @Test func comingAndGoing() throws {
    let host = try Host([try .memory()])
    try host.createQueuePair()
    let data = host.ram.allocate()
    func read(_ nsid: UInt32, _ slba: UInt64, blocks: Int = 1) throws -> Status {
      try host.io(.transfer(.read, nsid: nsid, slba: slba, blocks: blocks, data)).status
    }
    func write(_ nsid: UInt32, _ slba: UInt64, _ byte: UInt8) throws -> Status {
      host.ram.fill(data, 4096, byte)
      return try host.io(.transfer(.write, nsid: nsid, slba: slba, blocks: 1, data)).status
    }
    #expect(try write(1, 255, 0x11) == .success)
    #expect(try read(2, 0) == .invalidField, "inactive")
    #expect(try read(9, 0) == .invalidNamespace, "beyond NN")

    try host.setNamespace(2, .memory(1 << 20, .bytes4096))
    let small = try ControllerNamespacesTests.namespace(host, 2)
    #expect(small.size == 256 && small.logicalBlockByteCount == 4096)
    #expect(try write(2, 255, 0x22) == .success)
    #expect(try read(2, 256) == .lbaOutOfRange)
    #expect(try read(1, 255, blocks: 8) == .success)
    #expect(host.ram.bytes(data, 512) == [UInt8](repeating: 0x11, count: 512))
    #expect(try read(2, 255) == .success)
    #expect(host.ram.bytes(data, 4096) == [UInt8](repeating: 0x22, count: 4096))

    // Another in its place: larger, with other blocks, and with nothing of the one before.
    try host.setNamespace(2, .memory(2 << 20))
    let large = try ControllerNamespacesTests.namespace(host, 2)
    #expect(large.size == 4096 && large.logicalBlockByteCount == 512)
    #expect(try read(2, 4095) == .success)
    #expect(try read(2, 4096) == .lbaOutOfRange)
    #expect(try read(2, 255 * 8, blocks: 8) == .success)
    #expect(host.ram.bytes(data, 4096) == [UInt8](repeating: 0, count: 4096))

    // Smaller: what was in range is not any more.
    try host.setNamespace(2, .memory(512 << 10))
    #expect(try read(2, 1023) == .success)
    #expect(try read(2, 1024) == .lbaOutOfRange)

    try host.setNamespace(2, nil)
    #expect(try read(2, 0) == .invalidField)
    #expect(try read(1, 255) == .success)
    #expect(host.ram.bytes(data, 512) == [UInt8](repeating: 0x11, count: 512))
  }

  /// A command that is under way ends as it would have, though its namespace has gone and nobody else keeps its image.
  @Test func goingWithCommandsInFlight() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    try image.write([UInt8](repeating: 0xff, count: 8192), at: 0)
    let host = try Host([Namespace(try image.backend(gate: gate)), try .memory()], gates: [gate])
    let queue = try host.createQueuePair()
    let command = host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    host.controller.setNamespace(1, nil)
    #expect(try host.io(.flush(nsid: 2)).status == .success)
    #expect(try host.io(.flush(nsid: 1)).status == .invalidField)
    gate.open()
    #expect(try host.completion(of: command, on: queue).status == .success)
    #expect(image.bytes(0, 8192) == [UInt8](repeating: 0, count: 4096) + [UInt8](repeating: 0xff, count: 4096))
  }

  /// A namespace that goes is kept as long as a command uses it, and no longer; its place is free then.
  @Test func goingIsDoneWithTheLastCommand() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate)), try .memory()], gates: [gate])
    weak let kept = host.controller.namespaces[0]
    let queue = try host.createQueuePair()
    let first = host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    let second = host.submit(.writeZeroes(slba: 8, blocks: 8), on: queue)
    try host.wait("the commands to begin", also: gate.arrival.rawValue) { gate.calls.count == 1 }
    // The second one is fetched as well.
    try host.settle()
    var isDone = false
    #expect(host.controller.setNamespace(1, nil) { isDone = true })
    try host.settle()
    #expect(!isDone && kept != nil)
    #expect(try ControllerNamespacesTests.active(host) == [2], "but it is not shown any more")
    #expect(!host.controller.setNamespace(1, try .memory()), "its place is not free")
    #expect(!host.controller.setNamespace(1, nil))
    gate.admitOne()
    try host.wait("the first command", also: gate.arrival.rawValue) { gate.finished == 1 }
    try host.settle()
    #expect(!isDone && kept != nil)
    gate.open()
    try host.wait("the end of the namespace") { isDone }
    #expect(try host.completion(of: first, on: queue).status == .success)
    #expect(try host.completion(of: second, on: queue).status == .success)
    try host.settle()
    #expect(kept == nil, "nobody keeps it")
    #expect(try host.setNamespace(1, .memory()))
    #expect(try host.io(.flush(nsid: 1)).status == .success)
  }

  /// What it holds in its cache is part of what turning the cache off makes durable, or of what that cannot.
  @Test func goingIsFlushedByOthers() throws {
    let gate = try Gate()
    gate.failSyncs(.inputOutput)
    let image = try TestImage(size: 1 << 20)
    let host = try Host(
      [Namespace(try image.backend(gate: gate)), try .memory()], gates: [gate])
    let queue = try host.createQueuePair()
    let list = host.ram.allocate()
    host.ram.write([0x8_0000_0000, 0] as [UInt64], at: list)
    let command = host.submit(.datasetManagement(ranges: 1, list), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    host.controller.setNamespace(1, nil)
    let feature = FeatureIdentifier.volatileWriteCache.rawValue
    let change = host.submit(.setFeatures(feature, 0), on: host.adminSubmission)
    try host.settle()
    gate.open()
    #expect(try host.completion(of: change, on: host.adminSubmission).status == .writeFault)
    #expect(try host.completion(of: command, on: queue).status == .success)
  }

  /// A reset ends what a namespace that goes waits for.
  @Test func goingDuringAReset() throws {
    let gate = try Gate()
    let image = try TestImage(size: 1 << 20)
    let host = try Host([Namespace(try image.backend(gate: gate))], gates: [gate])
    let queue = try host.createQueuePair()
    host.submit(.writeZeroes(slba: 0, blocks: 8), on: queue)
    try host.wait("the command to begin", also: gate.arrival.rawValue) { !gate.calls.isEmpty }
    var isDone = false
    #expect(host.controller.setNamespace(1, nil) { isDone = true })
    host.configure(ControllerConfiguration())
    gate.open()
    try host.wait("the end of the namespace") { isDone }
    try host.wait("CSTS.RDY 0") { !host.status.ready }
    host.forgetQueues()
    try host.enable()
    #expect(try ControllerNamespacesTests.active(host).isEmpty)
  }

  /// One that comes is shown when every I/O thread knows it, and not before: nothing that the host does because it sees
  /// it can be too early.
  @Test func comingIsAnnouncedLast() throws {
    let threads = try IOThreads(IOThreads.Options(threads: 2))
    let host = try Host([try .memory()], threads: threads)
    try host.createQueuePair(1)
    try host.createQueuePair(2)
    for round in 0..<50 {
      var isDone = false
      #expect(host.controller.setNamespace(2, try .memory()) { isDone = true })
      #expect(try isDone || ControllerNamespacesTests.active(host) == [1])
      try host.wait("the namespace") { isDone }
      #expect(try ControllerNamespacesTests.active(host) == [1, 2])
      #expect(try host.io(.flush(nsid: 2), queue: UInt16(round % 2 + 1)).status == .success)
      try host.setNamespace(2, nil)
    }
  }

  /// They outlive resets of the controller, and so does what they hold.
  @Test func afterAReset() throws {
    let host = try Host([try .memory()])
    try host.setNamespace(2, .memory())
    try host.setNamespace(1, nil)
    try host.createQueuePair()
    let data = host.ram.allocate()
    host.ram.fill(data, 512, 0x33)
    #expect(try host.io(.transfer(.write, nsid: 2, slba: 5, blocks: 1, data)).status == .success)
    try host.disable()
    try host.enable()
    #expect(try ControllerNamespacesTests.active(host) == [2])
    try host.createQueuePair()
    host.ram.fill(data, 512, 0)
    #expect(try host.io(.transfer(.read, nsid: 2, slba: 5, blocks: 1, data)).status == .success)
    #expect(host.ram.bytes(data, 512) == [UInt8](repeating: 0x33, count: 512))
    #expect(try host.io(.flush(nsid: 1)).status == .invalidField)
    // A reset of the function too.
    try host.reset()
    try host.setBusMaster(true)
    try host.enable()
    #expect(try ControllerNamespacesTests.active(host) == [2])
  }
}
