import Glibc
import LinuxIO
import NVMeController
import Storage
import Testing

@testable import Daemon

/// A supervisor with real threads, sockets and images; ended with the test.
private final class Rig {
  let folder: TestFolder
  let supervisor: Supervisor

  init(_ controllers: (TestFolder) throws -> [ControllerConfiguration] = { _ in [] }) throws {
    let folder = try TestFolder()
    self.folder = folder
    supervisor = try Supervisor.start(
      DaemonConfiguration(logLevel: .error, workerThreads: 1, controllers: try controllers(folder)))
  }

  deinit { supervisor.stop() }

  func names() -> [String] { supervisor.status().controllers.map(\.name) }

  /// Whether somebody has locked an image.
  func isLocked(_ name: String) -> Bool {
    let image = try? DiskImage(path: folder.file(name), options: ImageOptions(cache: .buffered, lock: false))
    return image?.excludedBy() != nil
  }

  /// Whether this process has let go of an image by now. A child that another test has just started has all descriptors of
  /// this process until it runs its program, and with them the locks on what is closed here already: that is waited for.
  func isUnlocked(_ name: String) -> Bool {
    let deadline = Clock.monotonic + 120_000_000_000
    let options = ImageOptions(cache: .buffered, lock: true)
    while Clock.monotonic < deadline {
      do throws(ImageError) {
        _ = try DiskImage(path: folder.file(name), options: options)
        return true
      } catch {
        // What this process has itself is `usedTwice`.
        guard case .locked = error.reason else { return false }
      }
      sched_yield()
    }
    return false
  }

  /// Whether a socket is there.
  func hasSocket(_ name: String) -> Bool { access(folder.file(name), F_OK) == 0 }
}

private func null(_ nsid: Int? = nil, size: UInt64 = 1 << 20) -> NamespaceConfiguration {
  NamespaceConfiguration(nsid: nsid, backend: .null, size: size)
}

private func controller(
  _ name: String, _ folder: TestFolder, _ namespaces: [NamespaceConfiguration] = [null()]
) -> ControllerConfiguration {
  ControllerConfiguration(name: name, socketPath: folder.file("\(name).sock"), ioQueues: 4, namespaces: namespaces)
}

/// What a supervisor says to a change that it refuses.
private func refusal(_ change: () throws -> Void) -> String? {
  do {
    try change()
    return nil
  } catch { return "\(error)" }
}

@Suite struct SupervisorTests {
  @Test func status() throws {
    let rig = try Rig { folder in
      var first = controller(
        "a", folder, [null(3), NamespaceConfiguration(backend: .memory, size: 8192, blockSize: 4096)])
      first.limits.operations.perSecond = 100
      return [first, controller("b", folder)]
    }
    let status = rig.supervisor.status()
    #expect(status.processID == getpid() && status.logLevel == .error && status.workerThreads == 1)
    #expect(status.ioThreads.map(\.name) == ["nvmed-io0"] && status.ioThreads[0].cpu == nil)
    #expect(status.ioThreads[0].cpuTime > 0)
    #expect(status.controllers.map(\.name) == ["a", "b"])
    let first = try #require(status.controllers.first)
    #expect(first.state == .waiting && first.client == nil && first.queues.isEmpty)
    #expect(first.serial == "a" && first.socketPath == rig.folder.file("a.sock"))
    #expect(first.interruptVectors == 5 && first.installedVectors.isEmpty)
    #expect(first.dma == DMAStatus(mapCount: 0, byteCount: 0))
    #expect(
      first.doorbells.path == .none && first.doorbells.choice == .auto && first.doorbells.shadowDoorbells == "off")
    #expect(first.limits.operations == RateLimit(perSecond: 100))
    #expect(first.controlCPUTime > 0)
    #expect(first.statistics == ControllerStatistics())
    #expect(first.namespaces.map(\.nsid) == [1, 3])
    #expect(first.namespaces.map(\.size) == [8192, 1 << 20])
    #expect(first.namespaces.map(\.blockSize) == [4096, 512])
    #expect(first.namespaces.map(\.backend) == [.memory, .null])
    let ids = NamespaceIdentifiers(serial: "a", identity: "nsid 3")
    #expect(first.namespaces[1].uuid == uuidText(ids.uuid))
    #expect(first.namespaces[1].nguid == hexadecimal(ids.nguid) && first.namespaces[1].eui64 == hexadecimal(ids.eui64))
  }

  @Test func controllersComeAndGo() throws {
    let rig = try Rig()
    #expect(rig.names() == [])
    try rig.supervisor.addController(controller("a", rig.folder))
    try rig.supervisor.addController(controller("b", rig.folder))
    #expect(rig.names() == ["a", "b"] && rig.hasSocket("a.sock"))
    try rig.supervisor.removeController("a")
    #expect(rig.names() == ["b"] && !rig.hasSocket("a.sock") && rig.hasSocket("b.sock"))
    #expect(
      refusal { try rig.supervisor.removeController("a") } == "no controller is called \"a\"; there is b")
    try rig.supervisor.removeController("b")
    #expect(refusal { try rig.supervisor.removeController("b") } == "no controller is called \"b\"; there is none")
    try rig.supervisor.addController(controller("a", rig.folder))
    #expect(rig.names() == ["a"])
    #expect(!rig.supervisor.collectEnded(), "nobody ended by himself")
  }

  /// What is wrong with a controller, by itself or beside the others, leaves nothing of it.
  @Test func refusedControllers() throws {
    let rig = try Rig { [controller("a", $0)] }
    func refused(_ change: (inout ControllerConfiguration) -> Void) -> String {
      var configuration = controller("b", rig.folder)
      change(&configuration)
      return refusal { try rig.supervisor.addController(configuration) } ?? "taken"
    }
    #expect(refused { $0.name = "a" }.contains("controller.name: \"a\" is that of controller \"a\" too"))
    #expect(refused { $0.serial = "a" }.contains("controller.serial: \"a\" is that of controller \"a\" too"))
    #expect(refused { $0.ioQueues = 65 }.contains("controller.io_queues: 65 is out of range"))
    #expect(refused { $0.socketPath = rig.folder.file("a.sock") }.contains("controller.socket"))
    #expect(refused { $0.socketPath = "/no/such/folder/x" }.contains("the folder does not exist"))
    #expect(refused { $0.socketPath = nil }.contains("has no socket"))
    #expect(
      refused { $0.namespaces = [NamespaceConfiguration(imagePath: rig.folder.file("none.img"))] }
        .contains("none.img"))
    #expect(refused { $0.namespaces = [null(2), null(2)] }.contains("controller.namespace.nsid: 2 is that of"))
    #expect(refused { $0.limits.bytes.burst = 4096 }.contains("controller.bandwidth_burst: has no effect without"))
    #expect(rig.names() == ["a"] && !rig.hasSocket("b.sock"))
  }

  // MARK: Namespaces

  /// An added one gets the lowest free identifier, or the one that is asked for; those that are there keep theirs.
  @Test func namespacesComeAndGo() throws {
    let rig = try Rig { [controller("a", $0, [null(), null(3)])] }
    func nsids() -> [UInt32] { rig.supervisor.status().controllers[0].namespaces.map(\.nsid) }
    #expect(nsids() == [1, 3])
    #expect(try rig.supervisor.addNamespace(controller: "a", null()) == 2)
    #expect(try rig.supervisor.addNamespace(controller: "a", null(64)) == 64)
    #expect(try rig.supervisor.addNamespace(controller: "a", null()) == 4)
    try rig.supervisor.removeNamespace(controller: "a", nsid: 1)
    #expect(nsids() == [2, 3, 4, 64])
    #expect(try rig.supervisor.addNamespace(controller: "a", null()) == 1)
    #expect(
      refusal { _ = try rig.supervisor.addNamespace(controller: "a", null(2)) }
        == "controller 'a' has a namespace 2; ask for another id, or for none")
    #expect(
      refusal { _ = try rig.supervisor.addNamespace(controller: "a", null(65)) }
        == "namespace id 65 is out of range; ask for one from 1 to 64")
    #expect(
      refusal { try rig.supervisor.removeNamespace(controller: "a", nsid: 7) }
        == "controller 'a' has no namespace 7; it has 1, 2, 3, 4, 64")
    #expect(refusal { _ = try rig.supervisor.addNamespace(controller: "x", null()) }?.contains("no controller") == true)
    for _ in 0..<59 { _ = try rig.supervisor.addNamespace(controller: "a", null()) }
    #expect(nsids() == Array(1...64))
    #expect(
      refusal { _ = try rig.supervisor.addNamespace(controller: "a", null()) }
        == "controller 'a' has 64 namespaces, and can have no more")
  }

  /// The image is locked as long as it is served, and no longer.
  @Test func imagesAreClosed() throws {
    let rig = try Rig { [controller("a", $0)] }
    let path = try rig.folder.image("disk.img", byteCount: 1 << 20)
    let image = NamespaceConfiguration(imagePath: path, cache: .buffered)
    #expect(try rig.supervisor.addNamespace(controller: "a", image) == 2)
    #expect(rig.isLocked("disk.img"))
    #expect(refusal { _ = try rig.supervisor.addNamespace(controller: "a", image) }?.contains("image") == true)
    try rig.supervisor.removeNamespace(controller: "a", nsid: 2)
    #expect(rig.isUnlocked("disk.img"))
    #expect(try rig.supervisor.addNamespace(controller: "a", image) == 2)
    try rig.supervisor.removeController("a")
    #expect(rig.isUnlocked("disk.img"))
    // Also that of a controller which began with it.
    try rig.supervisor.addController(controller("a", rig.folder, [null(), image]))
    #expect(rig.isLocked("disk.img"))
    try rig.supervisor.removeNamespace(controller: "a", nsid: 2)
    #expect(rig.isUnlocked("disk.img"))
  }

  /// A query that has an image yet when it is removed: who removed it is told when it is closed, and can use it at once.
  @Test(arguments: ["namespace", "controller", "reload"]) func removedImagesAreClosed(_ way: String) throws {
    let rig = try Rig { folder in
      let path = try folder.image("disk.img", byteCount: 1 << 20)
      return [
        controller("a", folder),
        controller("b", folder, [null(), NamespaceConfiguration(nsid: 2, imagePath: path, cache: .buffered)]),
      ]
    }
    let supervisor = rig.supervisor
    var query = try supervisor.controller("b").state.withLock { $0.namespaces[2] }
    #expect(query?.namespace.backend.image != nil)
    let ended = try EventFD()
    let signal = try ended.duplicate().release()
    let thread = try LinuxIO.Thread(name: "remover") {
      do {
        switch way {
        case "namespace": try supervisor.removeNamespace(controller: "b", nsid: 2)
        case "controller": try supervisor.removeController("b")
        default:
          var next = supervisor.configuration
          next.controllers[1].namespaces.removeLast()
          let report = try supervisor.reload(next)
          #expect(report.removedNamespaces.count == 1 && report.warnings == [])
        }
      } catch { Issue.record(error) }
      EventFD.signal(rawValue: signal)
      close(signal)
    }
    var hasEnded = ended.wait(timeout: 200)
    #expect(!hasEnded)
    query = nil
    hasEnded = ended.wait(timeout: 60_000)
    #expect(hasEnded)
    #expect(rig.isUnlocked("disk.img"))
    thread.join()
    _ = query
  }

  /// What is removed and may not be durable is removed, and whoever removed it is told.
  @Test func removalsThatAreNotDurable() throws {
    let rig = try Rig { folder in
      for name in ["first.img", "second.img"] { _ = try folder.image(name, byteCount: 1 << 20) }
      return [
        controller(
          "a", folder,
          ["first.img", "second.img"].map { NamespaceConfiguration(imagePath: folder.file($0), cache: .buffered) })
      ]
    }
    let supervisor = rig.supervisor
    for nsid in [1, 2] as [UInt32] {
      try supervisor.controller("a").state.withLock { state in
        state.namespaces[nsid]?.namespace.backend.image?.noteFailedSync(.inputOutput)
      }
    }
    let reason = "namespace 2 of controller 'a' is removed, but \(rig.folder.file("second.img")) cannot be flushed"
    #expect(refusal { try supervisor.removeNamespace(controller: "a", nsid: 2) }?.hasPrefix(reason) == true)
    #expect(supervisor.status().controllers[0].namespaces.map(\.nsid) == [1])
    // A client, whose data is at stake.
    let client = try UnixSocket.connect(path: rig.folder.file("a.sock"))
    let deadline = Clock.monotonic + 120_000_000_000
    while supervisor.status().controllers[0].state == .waiting, Clock.monotonic < deadline { sched_yield() }
    #expect(
      refusal { try supervisor.removeController("a") }
        == "controller 'a' is removed, but an image of it cannot be flushed")
    #expect(rig.names() == [] && rig.isUnlocked("first.img"))
    _ = client.rawValue
  }

  @Test func sizes() throws {
    let rig = try Rig { folder in
      let path = try folder.image("disk.img", byteCount: 1 << 20)
      return [controller("a", folder, [NamespaceConfiguration(imagePath: path, cache: .buffered), null()])]
    }
    func size() -> UInt64 { rig.supervisor.status().controllers[0].namespaces[0].size }
    #expect(try rig.supervisor.resizeNamespace(controller: "a", nsid: 1) == 1 << 20)
    for bytes in [4 << 20, 8192, 1 << 20] {
      try #require(truncate(rig.folder.file("disk.img"), bytes) == 0)
      #expect(size() != UInt64(bytes), "nobody has looked")
      #expect(try rig.supervisor.resizeNamespace(controller: "a", nsid: 1) == UInt64(bytes))
      #expect(size() == UInt64(bytes))
    }
    try #require(truncate(rig.folder.file("disk.img"), 100) == 0)
    #expect(
      refusal { try rig.supervisor.resizeNamespace(controller: "a", nsid: 1) }?
        .contains("100 bytes are less than a block; the namespace keeps its size") == true)
    #expect(size() == 1 << 20)
    #expect(
      refusal { try rig.supervisor.resizeNamespace(controller: "a", nsid: 2) }
        == "namespace 2 of controller 'a' has no image, and keeps the size that it was made with")
  }

  @Test func limitsDrainAndLog() throws {
    let rig = try Rig { [controller("a", $0)] }
    var limits = RateLimits()
    limits.writtenBytes = RateLimit(perSecond: 1 << 20, burst: 1 << 22)
    try rig.supervisor.setLimits(controller: "a", limits)
    #expect(rig.supervisor.status().controllers[0].limits == limits)
    limits.bytes = RateLimit(perSecond: 1)
    #expect(
      refusal { try rig.supervisor.setLimits(controller: "a", limits) }?.contains("controller.bandwidth_limit") == true)
    try rig.supervisor.drain(controller: "a")
    #expect(try rig.supervisor.errorLog(controller: "a").isEmpty)
    rig.supervisor.setLogLevel(.trace)
    #expect(rig.supervisor.status().logLevel == .trace)
    rig.supervisor.setLogLevel(.error)
  }

  // MARK: Reload

  @Test func reload() throws {
    let rig = try Rig { folder in
      let path = try folder.image("disk.img", byteCount: 1 << 20)
      return [
        controller("a", folder, [NamespaceConfiguration(imagePath: path, cache: .buffered), null()]),
        controller("b", folder),
      ]
    }
    var next = rig.supervisor.configuration
    #expect(try rig.supervisor.reload(next).isEmpty)
    try #require(truncate(rig.folder.file("disk.img"), 2 << 20) == 0)
    next.controllers[1] = controller("c", rig.folder, [null(1)])
    next.controllers[0].namespaces[1] = null(7)
    next.controllers[0].limits.readOperations.perSecond = 5
    next.logLevel = .warning
    let report = try rig.supervisor.reload(next)
    #expect(report.addedControllers == ["c"] && report.removedControllers == ["b"] && report.warnings == [])
    #expect(report.addedNamespaces.map(\.nsid) == [7] && report.removedNamespaces.map(\.nsid) == [2])
    #expect(report.resizedNamespaces.map(\.image) == [rig.folder.file("disk.img")])
    #expect(report.changedLimits == ["a"] && report.logLevel == .warning)
    #expect(rig.names() == ["a", "c"])
    let first = rig.supervisor.status().controllers[0]
    #expect(first.namespaces.map(\.nsid) == [1, 7] && first.namespaces[0].size == 2 << 20)
    #expect(first.limits.readOperations == RateLimit(perSecond: 5))
    #expect(rig.supervisor.configuration == next)
    #expect(try rig.supervisor.reload(next).isEmpty)
  }

  /// One thing that cannot be is enough to change nothing.
  @Test(arguments: 0..<5) func refusedReload(_ number: Int) throws {
    let rig = try Rig { [controller("a", $0), controller("b", $0)] }
    let before = rig.supervisor.configuration
    var next = before
    next.controllers[1] = controller("c", rig.folder)
    next.controllers[0].namespaces.append(null())
    next.controllers[0].limits.operations.perSecond = 9
    next.logLevel = .debug
    let reason: (key: String?, text: String)
    switch number {
    case 0:
      next.controllers[0].model = "other"
      reason = ("controller.model", "cannot change while it runs")
    case 1:
      next.controllers[1].namespaces = [NamespaceConfiguration(imagePath: rig.folder.file("none.img"))]
      reason = ("controller", "none.img")
    case 2:
      next.controllers[0].namespaces.append(NamespaceConfiguration(imagePath: rig.folder.file("none.img")))
      reason = ("controller.namespace", "none.img")
    case 3:
      next.controllers[1].socketPath = "/no/such/folder/x"
      reason = ("controller", "the folder does not exist")
    default:
      next.controllers[1].serial = "a"
      reason = ("controller.serial", "is that of controller")
    }
    let refusal = #expect(throws: ReloadRefusal.self) { try rig.supervisor.reload(next) }
    #expect(refusal?.reasons.count == 1 && refusal?.reasons.first?.keyPath == reason.key)
    #expect(refusal?.reasons.first?.message.contains(reason.text) == true)
    #expect(rig.supervisor.configuration == before)
    #expect(rig.names() == ["a", "b"] && !rig.hasSocket("c.sock") && rig.hasSocket("b.sock"))
  }

  /// Everybody asks and changes at the same time.
  @Test func manyAtOnce() throws {
    let rig = try Rig { [controller("a", $0)] }
    let supervisor = rig.supervisor
    let folder = rig.folder
    var threads: [LinuxIO.Thread] = []
    for number in 0..<4 {
      threads.append(
        try LinuxIO.Thread(name: "asker") {
          for round in 0..<5 {
            do {
              switch number {
              case 0: #expect(supervisor.status().controllers.contains { $0.name == "a" })
              case 1:
                let nsid = try supervisor.addNamespace(controller: "a", null())
                try supervisor.removeNamespace(controller: "a", nsid: nsid)
              case 2:
                try supervisor.addController(controller("x\(round)", folder))
                try supervisor.removeController("x\(round)")
              default: try supervisor.drain(controller: "a")
              }
            } catch { Issue.record(error) }
          }
        })
    }
    for thread in threads { thread.join() }
    #expect(rig.names() == ["a"])
  }
}
