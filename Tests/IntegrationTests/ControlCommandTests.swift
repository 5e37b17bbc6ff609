import Control
import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// `nvmed ctl` and `nvmed top` with a daemon that serves guests.
@Suite struct ControlCommandTests {
  // MARK: What is there

  @Test func showsWhatIsServed() throws {
    let controlled = try ControlledDaemon(["a", "b"])
    let host = try controlled.host("a.sock")
    var queue = try host.createQueue(1, depth: 16, vector: 1)
    let data = try host.memory.allocate(4096)
    try queue.writePattern(data, slba: 0, version: 1, blockByteCount: 512)
    _ = try queue.execute(.io(.read, nsid: 1, slba: 1 << 40, blocks: 1))

    let status = try controlled.result("status")
    #expect(status["process_id"] == .integer(Int64(controlled.daemon.pid)))
    guard case .array(let controllers)? = status["controllers"] else {
      throw TestFailure("no controllers: \(status)")
    }
    #expect(controllers.map { $0["name"] } == [.string("a"), .string("b")])
    #expect(controllers.map { $0["state"] } == [.string("ready"), .string("waiting")])
    #expect(controllers[0]["client"]?["process_id"] == .integer(Int64(getpid())))
    #expect(controllers[0]["statistics"]?["commands"]?["write"]?["bytes"] == .integer(4096))
    let other = try controlled.result("controller", "status", "b")
    for key in ["name", "state", "serial", "socket", "namespaces", "queues", "statistics", "limits", "doorbells"] {
      #expect(other[key] == controllers[1][key], "\(key)")
    }
    let list = try controlled.result("controller", "list")
    #expect(
      list
        == .array([
          [
            "name": .string("a"), "namespaces": .integer(1), "socket": .string(controlled.folder.file("a.sock")),
            "state": .string("ready"),
          ],
          [
            "name": .string("b"), "namespaces": .integer(1), "socket": .string(controlled.folder.file("b.sock")),
            "state": .string("waiting"),
          ],
        ]))

    guard case .array(let queues) = try controlled.result("queues", "a") else {
      throw TestFailure("no queues")
    }
    #expect(queues.count == 4)
    #expect(queues.last?["kind"] == .string("completion"))
    #expect(queues.last?["interrupt_vector"] == .integer(1))
    let memory = try controlled.result("dma", "a")
    #expect(memory["bytes"] == .integer(8 << 20) && memory["ranges"] == .integer(1))
    guard case .array(let ranges) = memory["map"], let range = ranges.first else {
      throw TestFailure("no ranges")
    }
    #expect(range["size"] == .integer(8 << 20) && range["iova"] != nil)
    for key in ["reachable", "readable", "writable"] { #expect(range[key] == .bool(true), "\(key)") }
    guard case .array(let errors) = try controlled.result("errors", "a") else {
      throw TestFailure("no errors")
    }
    #expect(errors.count == 1)
    #expect(errors.first?["lba"] == .integer(1 << 40))
    #expect(errors.first?["submission_queue"] == .integer(1))

    let (end, text) = try controlled.ctl("status")
    #expect(end == .exit(0))
    #expect(text.contains("\na           ready"), "\(text)")
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    host.disconnect()
    try controlled.daemon.terminate()
  }

  @Test func showsTheConfigurationAsAFile() throws {
    let controlled = try ControlledDaemon(["a", "b"], daemon: "spin_us = 5")
    #expect(try controlled.ctl("controller", "set-limits", "b", "--set", "iops_limit=500").end == .exit(0))
    let (end, text) = try controlled.ctl("config")
    #expect(end == .exit(0))
    let path = try controlled.folder.text("shown.toml", text)
    #expect(try runToEnd(["check-config", path]).end == .exit(0), "\(text)")
    #expect(text.contains("spin_us = 5\n") && text.contains("iops_limit = 500\n"))
    try controlled.daemon.terminate()
  }

  // MARK: What changes

  /// A namespace comes, grows and goes under a guest that does I/O on another all the time.
  @Test func changesNamespacesUnderAGuest() throws {
    let controlled = try ControlledDaemon()
    let host = try controlled.host("a.sock")
    let notices = AsynchronousEventConfiguration.namespaceAttributeNotices.rawValue
    try host.requireSuccess(host.setFeature(.asynchronousEventConfiguration, notices))
    var request = try host.requestEvent()
    let load = try BackgroundLoad(
      try VerifiedLoad(
        try host.createQueue(1, depth: 32, vector: 1), memory: host.memory, depth: 16, firstBlock: 0, seed: 7))
    try load.awaitBatches(3)
    let image = try controlled.folder.image("new.img", byteCount: 2 << 20)

    let added = try controlled.result("namespace", "add", "a", "--image", image.path, "--set", "read_only=true")
    #expect(added["nsid"] == .integer(2))
    #expect(try host.awaitEvent(request) == .namespaceAttributeChanged)
    #expect(try host.changedNamespaces() == [2])
    #expect(try host.namespaces().map(\.blockCount) == [8192, 4096])

    request = try host.requestEvent()
    #expect(truncate(image.path, 3 << 20) == 0)
    #expect(try controlled.result("namespace", "resize", "a", "2") == ["nsid": .integer(2), "size": .integer(3 << 20)])
    #expect(try host.awaitEvent(request) == .namespaceAttributeChanged)
    #expect(try host.changedNamespaces() == [2])
    #expect(try host.namespaces().map(\.blockCount) == [8192, 6144])

    request = try host.requestEvent()
    #expect(try controlled.ctl("namespace", "remove", "a", "2").text == "namespace 2 removed from 'a'\n")
    #expect(try host.awaitEvent(request) == .namespaceAttributeChanged)
    #expect(try host.namespaces().map(\.identifier) == [1])
    #expect(try host.namespaces(among: [1, 2]).map(\.identifier) == [1], "who saw it in the list finds it gone")

    #expect(try controlled.ctl("controller", "drain", "a").end == .exit(0))
    try load.awaitBatches(3)
    var result = try load.stop()
    try result.finish()
    host.disconnect()
    try controlled.daemon.terminate()
  }

  @Test func addsAndRemovesControllers() throws {
    let controlled = try ControlledDaemon()
    let image = try controlled.folder.image("new.img", byteCount: 2 << 20)
    let (end, text) = try controlled.ctl(
      "controller", "add", "new", "--socket-path", controlled.folder.file("new.sock"), "--image", image.path,
      "--serial", "NEW7", "--queues", "3", "--set", "post_write=kernel")
    #expect(end == .exit(0), "\(text)")
    let host = try controlled.host("new.sock")
    #expect(try host.identifyController() == host.identity)
    #expect(host.identity.serialNumber == "NEW7")
    let (gone, _) = try controlled.ctl("controller", "remove", "new")
    #expect(gone == .exit(0))
    #expect(access(controlled.folder.file("new.sock"), F_OK) == -1)
    host.disconnect()
    #expect(
      try controlled.result("controller", "list")
        == .array([
          [
            "name": .string("a"), "namespaces": .integer(1), "socket": .string(controlled.folder.file("a.sock")),
            "state": .string("waiting"),
          ]
        ]))
    try controlled.daemon.terminate()
  }

  @Test func reloads() throws {
    let controlled = try ControlledDaemon()
    _ = try controlled.folder.image("b.img", byteCount: 1 << 20)
    _ = try controlled.folder.text("nvmed.toml", ControlledDaemon.configuration(["a", "b"]))
    #expect(try controlled.ctl("reload").text == "controller 'b' added\n")
    #expect(try controlled.ctl("reload").text == "nothing has changed\n")
    _ = try controlled.folder.text("nvmed.toml", ControlledDaemon.configuration(["a"], "io_threads = 7"))
    let (end, text) = try controlled.ctl("reload")
    #expect(end == .exit(1))
    #expect(text.contains("Error: the configuration cannot be applied while nvmed runs; nothing has changed\n"))
    #expect(text.contains("\n  daemon.io_threads: "), "\(text)")
    _ = try controlled.folder.text("nvmed.toml", "colour = 7\n")
    let (wrong, errors) = try controlled.ctl("reload")
    #expect(wrong == .exit(1))
    #expect(errors.contains("colour: unknown key"), "\(errors)")
    try controlled.daemon.terminate()
  }

  @Test func changesTheLogLevel() throws {
    let controlled = try ControlledDaemon()
    #expect(try controlled.result("log-level", "debug") == ["level": .string("debug")])
    #expect(try controlled.result("status")["log_level"] == .string("debug"))
    let (end, text) = try controlled.ctl("log-level", "loud")
    #expect(end == .exit(1))
    #expect(text.contains("\"loud\" is no level"))
    try controlled.daemon.terminate()
  }

  @Test func stops() throws {
    let controlled = try ControlledDaemon()
    #expect(try controlled.ctl("stop") == (.exit(0), ""))
    #expect(try controlled.daemon.awaitEnd() == .exit(0))
    #expect(access(controlled.socket, F_OK) == -1)
  }

  // MARK: What is refused

  @Test(arguments: [
    (["errors", "nobody"], "no controller is called \"nobody\"; there is a"),
    (["namespace", "remove", "a", "9"], "has no namespace 9; it has 1"),
    (["namespace", "add", "a", "--image", "/nowhere/x.img"], "/nowhere/x.img"),
    (["namespace", "add", "a", "--image", "/x", "--set", "coluor=1"], "unknown key"),
    (["namespace", "add", "a", "--memory", "1MiB", "--block-size", "513"], "513 is not possible; write 512 or 4096"),
    (["controller", "add", "a", "--socket-path", "/tmp/x.sock"], "a different name for each controller"),
    (["controller", "add", "b", "--socket-path", "/nowhere/b.sock"], "/nowhere/b.sock: the folder does not exist"),
    (["controller", "set-limits", "a", "--set", "iops_limt=5"], "did you mean 'iops_limit'?"),
    (["controller", "set-limits", "a", "--set", "iops_burst=5"], "has no effect without iops_limit"),
    (["controller", "set-limits", "a", "--set", "iops_limit=-5"], "iops_limit: "),
    (["call", "controller.add", #"{"controller":{"name":"x","socket":"x.sock"}}"#], "write an absolute one"),
    (["call", "controller.add", #"{"controller":{"name":"x","namespace":[{"image_descriptor":0}]}}"#], "none came"),
    (["call", "controller.add", #"{"controller":[]}"#], "must be an object"),
    (["call", "no.method"], "there is no method 'no.method'"),
  ])
  func refuses(_ arguments: [String], _ reason: String) throws {
    let controlled = try ControlledDaemon()
    let process = try DaemonProcess(["ctl"] + arguments + ["--socket", controlled.socket])
    let end = try process.awaitEnd()
    #expect(end == .exit(1))
    #expect(process.log.text.hasPrefix("Error: "))
    #expect(process.log.text.contains(reason), "\(process.log.text)")
    // Nothing is left of it.
    #expect(try controlled.result("status")["controllers"]?.count == 1)
    try controlled.daemon.terminate()
  }

  @Test func endsWithTwoWhereNobodyIsThere() throws {
    let folder = try TestFolder()
    for command in [["ctl", "status"], ["ctl", "status", "--json"], ["top", "--once"]] {
      let (end, text) = try runToEnd(command + ["--socket", folder.file("none")])
      #expect(end == .exit(2))
      #expect(text.hasPrefix("Error: \(folder.file("none")): there is no control socket"), "\(text)")
    }
    let listener = try UnixListener(path: folder.file("dead"))
    var left = listener
    left.removesPath = false
    _ = consume left
    let (end, text) = try runToEnd(["ctl", "reload", "--socket", folder.file("dead")])
    #expect(end == .exit(2))
    #expect(text.contains("nobody listens there; nvmed is not running"), "\(text)")
  }

  @Test(arguments: [
    ["ctl", "controller", "add"], ["ctl", "nonsense"], ["ctl", "namespace", "resize", "a", "x"], ["top", "--json"],
    ["ctl", "namespace", "add", "a"], ["top", "--once", "--interval", "0"], ["ctl", "call", "x", "{"],
    ["ctl", "controller", "attach", "x", "--fd", "99"], ["top"],
  ])
  func endsWithSixtyFourForWrongUsage(_ arguments: [String]) throws {
    #expect(try runToEnd(arguments).end == .exit(64))
  }

  @Test func refusesASecondDaemonOnItsSocket() throws {
    let controlled = try ControlledDaemon()
    let (end, text) = try runToEnd(["serve", "--control-socket", controlled.socket])
    #expect(end == .exit(1))
    #expect(text.contains("\(controlled.socket): another nvmed has its control socket there"), "\(text)")
    #expect(try controlled.ctl("status").end == .exit(0))
    // What a daemon that was killed leaves is no daemon.
    try controlled.daemon.kill()
    let next = try DaemonProcess(["serve", "--control-socket", controlled.socket])
    try next.awaitLog("control socket")
    #expect(try controlled.result("status")["controllers"] == .array([]))
    try next.terminate()
  }

  @Test func refusesASocketThatItCannotOpen() throws {
    let folder = try TestFolder()
    let (end, text) = try runToEnd(["serve", "--control-socket", folder.file("none/control")])
    #expect(end == .exit(1))
    #expect(text.contains("the folder of the control socket does not exist; create it first"), "\(text)")
    let (file, message) = try runToEnd(["serve", "--control-socket", try folder.text("file", "")])
    #expect(file == .exit(1))
    #expect(message.contains("or it is no socket"), "\(message)")
    let (group, sentence) = try runToEnd(
      ["serve", "--control-socket", folder.file("control"), "--control-group", "no-such-group"])
    #expect(group == .exit(1))
    #expect(sentence.contains("there is no group 'no-such-group'"), "\(sentence)")
  }

  /// Another user is refused in one sentence, unless it has the group. Becoming another user needs root.
  @Test(.enabled(if: geteuid() == 0), arguments: [("4711", 4711), ("daemon", 1)])
  func checksWhoConnects(_ name: String, _ group: gid_t) throws {
    // (Groups have their names also where the daemon is confined.)
    if name != "4711", getgrgid(group).map({ String(cString: $0.pointee.gr_name) }) != name { return }
    let controlled = try ControlledDaemon(daemon: "control_group = \"\(name)\"")
    var status = stat()
    #expect(lstat(controlled.socket, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o660)
    #expect(status.st_gid == group)
    // The kernel's own check of the file is not what is tested.
    chmod(controlled.socket, 0o666)
    chmod(controlled.folder.path, 0o755)
    func call(_ arguments: [String]) throws -> (DaemonProcess.End, String) {
      let process = try DaemonProcess(
        arguments + ["--", DaemonProcess.binary, "ctl", "controller", "list", "--socket", controlled.socket],
        program: "/usr/bin/setpriv")
      return (try process.awaitEnd(), process.log.text)
    }
    // A program that others cannot reach cannot be run by them.
    guard try call(["--reuid", "65534", "--regid", "\(group)", "--clear-groups"]).0 != .exit(126) else { return }
    let (refused, text) = try call(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
    #expect(refused == .exit(1))
    #expect(
      text == "Error: user 65534 may not control this daemon: root, user 0 and the members of group \(group) may\n")
    #expect(try call(["--reuid", "65534", "--regid", "\(group)", "--clear-groups"]).0 == .exit(0))
    #expect(try call(["--reuid", "65534", "--regid", "65534", "--groups", "\(group)"]).0 == .exit(0))
    try controlled.daemon.terminate()
  }

  // MARK: Sockets and images that are handed over

  /// A launcher opens everything: the daemon has no controller and needs no right to open a file.
  @Test func servesWhatIsHandedOver() throws {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: 1 << 20)
    let daemon = try DaemonProcess(["serve", "--control-socket", folder.file("control")])
    try daemon.awaitLog("control socket")
    for round in 1...2 as ClosedRange<UInt64> {
      let pair = try UnixSocketPair()
      var client = try ControlClient(path: folder.file("control"), patience: patience)
      let controller: JSONValue = [
        "name": .string("vm"), "post_write": .string("kernel"),
        "namespace": .array([["image_descriptor": .integer(1)]]),
      ]
      _ = try client.call(
        "controller.attach", ["controller": controller] as JSONValue,
        descriptors: [pair.second.rawValue, image.number], returning: NoResult.self)
      let socket = try pair.first.duplicate()
      _ = consume pair
      let host = try HostController(
        socket: socket, memory: try HostMemory(byteCount: 8 << 20), options: HostOptions(doorbells: .slots, vectors: 2))
      try host.initialize()
      var queue = try host.createQueue(1, depth: 64, vector: 1)
      let data = try host.memory.allocate(64 << 10)
      if round > 1 { try queue.readPattern(data, slba: 100, version: round - 1, blockByteCount: 512) }
      try queue.writePattern(data, slba: 100, version: round, blockByteCount: 512)
      host.disconnect()
      // It ends with its client; the daemon does not.
      let deadline = deadline()
      while try client.call("controller.list", returning: JSONValue.self) != .array([]) {
        guard !isOver(deadline) else { throw TestFailure("the controller does not end with its client") }
      }
    }
    try daemon.terminate()
  }

  @Test func handsOverADescriptorOfTheCommand() throws {
    let controlled = try ControlledDaemon()
    let listener = try UnixListener(path: controlled.folder.file("handed.sock"))
    let (end, text) = try controlled.ctl(
      "controller", "attach", "vm", "--fd", "9", "--memory", "1MiB", "--set", "post_write=kernel",
      handover: (listener.descriptor.rawValue, 9))
    #expect(end == .exit(0), "\(text)")
    let host = try controlled.host("handed.sock")
    #expect(try host.identifyController() == host.identity)
    host.disconnect()
    let null = try FileDescriptor(path: "/dev/null", flags: O_RDWR)
    let (refused, reason) = try controlled.ctl(
      "controller", "attach", "other", "--fd", "9", "--null", "1MiB", handover: (null.rawValue, 9))
    #expect(refused == .exit(1))
    #expect(reason.contains("is no AF_UNIX stream socket"), "\(reason)")
    try controlled.daemon.terminate()
  }

  // MARK: nvmed top

  @Test func measuresALoad() throws {
    let controlled = try ControlledDaemon()
    let host = try controlled.host("a.sock")
    let load = try BackgroundLoad(
      try VerifiedLoad(
        try host.createQueue(1, depth: 32, vector: 1), memory: host.memory, depth: 16, firstBlock: 0, seed: 7))
    try load.awaitBatches(3)
    let (end, text) = try runToEnd(["top", "--once", "--json", "--interval", "0.5", "--socket", controlled.socket])
    #expect(end == .exit(0))
    let report = try #require(JSONValue(text: text), "\(text)")
    guard case .array(let controllers)? = report["controllers"], let controller = controllers.first else {
      throw TestFailure("no controllers: \(text)")
    }
    for key in ["reads_per_second", "writes_per_second", "read_bytes_per_second", "queue_depth", "cpu"] {
      #expect(controller[key]?.double ?? 0 > 0, "\(key): \(text)")
    }
    #expect(controller["doorbells"] != .string("none"))
    let (shown, screen) = try runToEnd(["top", "--once", "--interval", "0.1", "--socket", controlled.socket])
    #expect(shown == .exit(0))
    #expect(screen.split(separator: "\n").allSatisfy { $0.count <= 80 })
    #expect(screen.contains("\na  "), "\(screen)")
    _ = try load.stop()
    host.disconnect()
    try controlled.daemon.terminate()
  }
}

extension JSONValue {
  /// How many elements an array has.
  var count: Int? { if case .array(let elements) = self { elements.count } else { nil } }

  /// A number.
  var double: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }
}
