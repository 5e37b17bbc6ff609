import Benchmarking
import Control
import Glibc
import LinuxIO

/// The daemon of a soak: its files, and what is said to it. One thread at a time.
final class SoakDaemon {
  /// Bytes of each image, and of the one that is made larger.
  private static let imageByteCount = max(16 << 20, SoakLane.neededBytes(lanes: SoakGuest.lanes))
  private static let grownByteCount = imageByteCount + (8 << 20)

  let folder: FleetFolder
  let daemon: FleetDaemon
  let controllers: Int
  private var client: ControlClient

  /// Makes the images, and starts the daemon with so many controllers.
  init(_ program: String, controllers: Int, in parent: String) throws {
    self.controllers = controllers
    folder = try FleetFolder(in: parent)
    for controller in 0..<controllers {
      for nsid in 1...Int(SoakLane.namespaces) where SoakDaemon.hasImage(controller, nsid) {
        try folder.makeImage("\(controller)-\(nsid).img", byteCount: SoakDaemon.imageByteCount)
      }
    }
    try folder.makeImage("extra.img", byteCount: 4 << 20)
    let path = try folder.write(SoakDaemon.configuration(controllers, in: folder, without: []), to: "nvmed.toml")
    daemon = try FleetDaemon(program, ["serve", "--config", path], folder: folder)
    for controller in 0..<controllers { _ = try daemon.connect(folder.path("\(controller).sock")) }
    client = try ControlClient(path: folder.path("control"), patience: 120)
  }

  /// The first namespace of the last controller is memory.
  static func hasImage(_ controller: Int, _ nsid: Int) -> Bool { nsid != 1 || controller % 4 != 3 }

  /// Whether the guest of a controller may keep its doorbells in memory.
  static func hasShadowDoorbells(_ controller: Int) -> Bool { controller % 2 == 0 }

  /// - Parameter absent: controllers that are without the namespace that comes and goes.
  private static func configuration(
    _ controllers: Int, in folder: FleetFolder, without absent: Set<Int>
  ) -> String {
    var text = """
      [daemon]
      io_threads = 2
      worker_threads = 16
      control_socket = "control"
      [metrics]
      listen = "unix:\(folder.path("metrics"))"

      """
    for controller in 0..<controllers {
      text += """
        [[controller]]
        name = "\(controller)"
        socket = "\(controller).sock"
        post_write = "kernel"
        shadow_doorbells = "\(hasShadowDoorbells(controller) ? "on" : "off")"

        """
      for nsid in 1...Int(SoakLane.namespaces) where nsid != SoakPresence.nsid || !absent.contains(controller) {
        text += "[[controller.namespace]]\nnsid = \(nsid)\n"
        text +=
          hasImage(controller, nsid)
          ? "image = \"\(controller)-\(nsid).img\"\n\(cache(controller, nsid).map { "cache = \"\($0)\"\n" } ?? "")"
          : "backend = \"memory\"\nsize = \"\(imageByteCount >> 20)MiB\"\n"
      }
    }
    return text
  }

  private static func cache(_ controller: Int, _ nsid: Int) -> String? {
    (controller + nsid) % 4 == 0 ? "buffered" : nil
  }

  // MARK: What it is asked

  /// Asks for something, and gives the result.
  @discardableResult
  func ask(_ method: String, _ parameters: [String: JSONValue] = [:]) throws -> JSONValue {
    try client.call(method, JSONValue.object(parameters))
  }

  /// Asks for something of one controller.
  @discardableResult
  func ask(_ method: String, of controller: Int, _ more: [String: JSONValue] = [:]) throws -> JSONValue {
    try ask(method, more.merging(["controller": .string("\(controller)")]) { first, _ in first })
  }

  /// ns that a change may take: the kernel may keep a command for a minute on a busy host.
  private static let patience: UInt64 = 240_000_000_000

  /// Changes a controller; comes back when the change has its effect, also where the daemon says that the controller is
  /// busy and that it will have it later, or that commands in flight do not end and that it is to be asked again.
  func change(_ method: String, _ controller: Int, _ more: [String: JSONValue]) throws {
    let deadline = Clock.monotonic + SoakDaemon.patience
    var isAsked = false
    while true {
      do throws(ControlClientError) {
        // What its control thread answers after the change, it answers with it.
        let parameters = (isAsked ? [:] : more).merging(["controller": .string("\(controller)")]) { first, _ in first }
        let _: JSONValue = try client.call(isAsked ? "queue.list" : method, JSONValue.object(parameters))
        return
      } catch {
        guard case .refused(let refusal) = error, Clock.monotonic < deadline else { throw error }
        if refusal.message.contains("commands in flight do not end") { continue }
        guard refusal.message.contains(" is busy") else { throw error }
        isAsked = true
      }
    }
  }

  /// Adds the namespace that comes and goes.
  func addNamespace(to controller: Int) throws {
    let nsid = Int(SoakPresence.nsid)
    var namespace: [String: JSONValue] = [
      "image": .string(folder.path("\(controller)-\(nsid).img")), "nsid": .integer(Int64(nsid)),
    ]
    if let cache = SoakDaemon.cache(controller, nsid) { namespace["cache"] = .string(cache) }
    try change("namespace.add", controller, ["namespace": .object(namespace)])
  }

  /// Takes it away.
  func removeNamespace(of controller: Int) throws {
    try change("namespace.remove", controller, ["nsid": .integer(Int64(SoakPresence.nsid))])
  }

  /// Makes the image of the last namespace larger, or as large as before, and has the daemon look.
  func resize(_ controller: Int, isGrown: Bool) throws {
    let file = try FileDescriptor(
      path: folder.path("\(controller)-\(SoakLane.namespaces).img"), flags: O_RDWR)
    guard ftruncate(file.rawValue, isGrown ? SoakDaemon.grownByteCount : SoakDaemon.imageByteCount) == 0 else {
      throw Errno.current
    }
    try change("namespace.resize", controller, ["nsid": .integer(Int64(SoakLane.namespaces))])
  }

  /// Has it read a configuration in which some controllers are without the namespace that comes and goes: by SIGHUP, or
  /// by its control socket.
  func reload(without absent: Set<Int>, bySignal: Bool) throws {
    try folder.replace("nvmed.toml", SoakDaemon.configuration(controllers, in: folder, without: absent))
    guard bySignal else {
      try ask("config.reload")
      return
    }
    // What it takes from the file is seen in what it serves. It gives up after half a minute, for commands in flight.
    let deadline = Clock.monotonic + SoakDaemon.patience
    var next: UInt64 = 0
    while try !(0..<controllers).allSatisfy({ try namespaces(of: $0) == (absent.contains($0) ? 2 : 3) }) {
      let now = Clock.monotonic
      guard now < deadline else { throw StormFailure("the daemon does not take another configuration") }
      if now >= next {
        kill(daemon.process, SIGHUP)
        next = now + 60_000_000_000
      }
      usleep(2000)
    }
  }

  private func namespaces(of controller: Int) throws -> Int {
    guard case .object(let status) = try ask("controller.status", of: controller),
      case .array(let namespaces)? = status["namespaces"]
    else { throw StormFailure("controller.status has no namespaces") }
    return namespaces.count
  }

  /// Adds a controller, has a guest use it, and removes it.
  func useAnother() throws {
    let socket = folder.path("extra.sock")
    let controller: [String: JSONValue] = [
      "controller": .object([
        "name": .string("extra"), "socket": .string(socket), "post_write": .string("kernel"),
        "namespace": .array([.object(["image": .string(folder.path("extra.img"))])]),
      ])
    ]
    let _: JSONValue = try client.call("controller.add", JSONValue.object(controller))
    var fleet = Fleet(count: 1)
    try fleet.attach(0, try daemon.connect(socket), queues: 1, .slots, timeout: SoakLife.timeout)
    for _ in 0..<8 { try fleet.execute(0) }
    try ask("controller.remove", ["controller": .string("extra")])
    fleet.detach()
  }

  /// The metrics, as a scrape gets them.
  func scrape() throws -> String {
    let socket = try UnixSocket.connect(path: folder.path("metrics"))
    let request = [UInt8]("GET /metrics HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n".utf8)
    _ = try UnixSocket.send(socket.rawValue, request.span, wait: true)
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = unsafe read(socket.rawValue, &buffer, buffer.count)
      guard count > 0 else { break }
      answer += buffer[..<count]
    }
    let text = String(decoding: answer, as: UTF8.self)
    guard text.hasPrefix("HTTP/1.1 200 OK"), text.contains("nvmed_") else {
      throw StormFailure("the metrics are none: \(text.prefix(200))")
    }
    return text
  }
}
