import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// Namespaces that come, go and change their size under a guest that does I/O all the time.
@Suite struct LiveNamespaceTests {
  /// A daemon with one controller, a guest with load on namespace 1, and an event request.
  private struct Rig {
    let reloaded: ReloadedDaemon
    let host: HostController
    let load: BackgroundLoad
    var request: UInt16

    var folder: TestFolder { reloaded.folder }

    init(_ images: [String]) throws {
      let folder = try TestFolder()
      for image in images { _ = try folder.image(image, byteCount: 4 << 20) }
      reloaded = try ReloadedDaemon(folder, Rig.configuration(images))
      host = try reloaded.host("a.sock")
      request = try host.requestEvent()
      let queue = try host.createQueue(1, depth: 32, vector: 1)
      load = try BackgroundLoad(try VerifiedLoad(queue, memory: host.memory, depth: 16, firstBlock: 0, seed: 3))
      try load.awaitBatches(3)
    }

    static func configuration(_ images: [String], _ rest: String = "") -> String {
      ReloadedDaemon.controller("a", rest) + images.map { ReloadedDaemon.namespace($0) }.joined()
    }

    /// Waits for the notice; exactly these namespaces have changed, and the list is told once.
    mutating func awaitChange(of namespaces: [UInt32]) throws {
      #expect(try host.awaitEvent(request) == .namespaceAttributeChanged)
      #expect(try host.changedNamespaces() == namespaces)
      #expect(try host.changedNamespaces() == [])
      request = try host.requestEvent()
    }

    /// The guest went on all the time, and saw its own data.
    func finish() throws {
      try load.awaitBatches(3)
      var result = try load.stop()
      try result.finish()
      host.disconnect()
      try reloaded.daemon.terminate()
    }
  }

  @Test func comes() throws {
    var rig = try Rig(["x.img"])
    let image = try rig.folder.image("y.img", byteCount: 2 << 20)
    try image.write(BlockPattern.bytes(slba: 0, blocks: 4096, version: 9, blockByteCount: 512), at: 0)
    #expect(try rig.reloaded.reload(Rig.configuration(["x.img", "y.img"])))
    try rig.awaitChange(of: [2])
    let namespaces = try rig.host.namespaces()
    #expect(namespaces.map(\.identifier) == [1, 2] && namespaces.map(\.blockCount) == [8192, 4096])
    var queue = try rig.host.createQueue(2, depth: 16, vector: 2)
    let data = try rig.host.memory.allocate(8192)
    try queue.readPattern(data, slba: 4080, version: 9, blockByteCount: 512, nsid: 2)
    try queue.writePattern(data, slba: 16, version: 10, blockByteCount: 512, nsid: 2)
    #expect(try image.read(at: 8192, count: 8192) == data.bytes)
    try rig.finish()
  }

  /// Commands in flight end, one way or the other; those that come later are refused; the image is closed. It can come
  /// back, and has kept what was written.
  @Test func goesUnderLoad() throws {
    var rig = try Rig(["x.img", "y.img"])
    var queue = try rig.host.createQueue(2, depth: 64, vector: 2)
    let data = try rig.host.memory.allocate(4096)
    let block = try rig.host.memory.allocate(4096)
    try queue.writePattern(block, slba: 800, version: 4, blockByteCount: 512, nsid: 2)
    for round in 0..<4 {
      // Reads all the time, until one is refused because the namespace is gone.
      var identifiers: Set<UInt16> = []
      var successes = 0
      var isGone = false
      var isAsked = false
      let deadline = deadline()
      while !isGone || !identifiers.isEmpty {
        var entry = SubmissionQueueEntry.io(.read, nsid: 2, slba: UInt64(successes % 8000), blocks: 8)
        entry.prp1 = data.iova
        while !isGone, identifiers.count < 40, let identifier = queue.submit(entry) { identifiers.insert(identifier) }
        queue.ring()
        try queue.completionQueue.waitForEntry(until: deadline)
        while let completion = queue.nextCompletion() {
          #expect(identifiers.remove(completion.commandIdentifier) != nil)
          if completion.status.isSuccess {
            #expect(!isGone, "a command that came later was served")
            successes += 1
          } else {
            #expect(completion.status == .invalidField)
            isGone = true
          }
        }
        queue.acknowledge()
        if successes > 100, !isAsked {
          isAsked = true
          _ = try rig.folder.text("nvmed.toml", Rig.configuration(["x.img"]))
          kill(rig.reloaded.daemon.pid, SIGHUP)
        }
      }
      // The reload that is under way ends before this one, which has nothing to do.
      try rig.reloaded.daemon.awaitLog("namespace 2 of 'a' (\(rig.folder.file("y.img"))) removed", count: round + 1)
      #expect(try !rig.reloaded.hasOpen("y.img"), "round \(round)")
      #expect(try rig.host.activeNamespaces() == [1])
      try rig.awaitChange(of: [2])
      _ = try rig.folder.text("nvmed.toml", Rig.configuration(["x.img", "y.img"]))
      kill(rig.reloaded.daemon.pid, SIGHUP)
      try rig.awaitChange(of: [2])
      #expect(try rig.host.activeNamespaces() == [1, 2])
      try queue.readPattern(block, slba: 800, version: 4, blockByteCount: 512, nsid: 2)
    }
    try rig.finish()
  }

  @Test func growsAndShrinks() throws {
    var rig = try Rig(["x.img", "y.img"])
    var queue = try rig.host.createQueue(2, depth: 16, vector: 2)
    let data = try rig.host.memory.allocate(4096)
    let path = rig.folder.file("y.img")
    func status(_ slba: UInt64) throws -> Status { try queue.write(nsid: 2, slba: slba, blocks: 8, from: data).status }
    #expect(try status(8192) == .lbaOutOfRange)
    try #require(truncate(path, 16 << 20) == 0)
    #expect(try status(8192) == .lbaOutOfRange, "nobody has looked")
    #expect(try rig.reloaded.reload())
    try rig.awaitChange(of: [2])
    #expect(try rig.host.namespace(2).blockCount == 32_768)
    try queue.writePattern(data, slba: 32_760, version: 2, blockByteCount: 512, nsid: 2)
    try queue.readPattern(data, slba: 32_760, version: 2, blockByteCount: 512, nsid: 2)
    #expect(try status(32_761) == .lbaOutOfRange)
    // Below what was used: nothing goes beyond the end any more, and makes the file grow again.
    try #require(truncate(path, 1 << 20) == 0)
    #expect(try rig.reloaded.reload())
    try rig.awaitChange(of: [2])
    #expect(try rig.host.namespace(2).blockCount == 2048)
    #expect(try status(2041) == .lbaOutOfRange)
    #expect(try status(2040) == .success)
    let zeroes = try queue.writeZeroes(nsid: 2, slba: 2048, blocks: 1).status
    #expect(zeroes == .lbaOutOfRange)
    let flush = try queue.flush(nsid: 2).status
    #expect(flush == .success)
    var found = stat()
    try #require(stat(path, &found) == 0)
    #expect(found.st_size == 1 << 20)
    try rig.finish()
  }

  /// Identifiers are those of the file, or the lowest that are free; what stays keeps its own.
  @Test func identifiers() throws {
    var rig = try Rig(["x.img"])
    for image in ["y.img", "z.img"] { _ = try rig.folder.image(image, byteCount: 1 << 20) }
    let first = ReloadedDaemon.controller("a")
    #expect(
      try rig.reloaded.reload(
        first + ReloadedDaemon.namespace("z.img", "nsid = 7") + ReloadedDaemon.namespace("y.img")
          + ReloadedDaemon.namespace("x.img")))
    try rig.awaitChange(of: [2, 7])
    #expect(try rig.host.activeNamespaces() == [1, 2, 7])
    #expect(rig.reloaded.daemon.log.text.contains("namespace 1 of 'a' will be 2 after a restart"))
    #expect(
      try !rig.reloaded.reload(first + ReloadedDaemon.namespace("x.img", "nsid = 3")), "it cannot be another")
    #expect(rig.reloaded.daemon.log.text.contains("controller.namespace.nsid: namespace 1 of \"a\": cannot change"))
    #expect(try rig.host.activeNamespaces() == [1, 2, 7])
    try rig.finish()
  }
}
