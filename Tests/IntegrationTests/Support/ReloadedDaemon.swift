import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec

/// A daemon with a configuration file that a test changes while guests run.
final class ReloadedDaemon {
  let folder: TestFolder
  let daemon: DaemonProcess
  private let path: String
  private var answers = 0

  /// Starts it, and waits until it serves so many controllers.
  ///
  /// - Parameter configuration: the tables of the controllers; sockets and images by their names in `folder`.
  init(_ folder: TestFolder, controllers: Int = 1, _ configuration: String) throws {
    self.folder = folder
    path = try folder.text("nvmed.toml", configuration)
    daemon = try DaemonProcess(["serve", "--config", path])
    try daemon.awaitReady(controllers: controllers)
  }

  /// Has it read another configuration.
  ///
  /// - Returns: whether it was taken. What it said is in the log.
  func reload(_ configuration: String) throws -> Bool {
    _ = try folder.text("nvmed.toml", configuration)
    return try reload()
  }

  /// Has it read the configuration again.
  func reload() throws -> Bool {
    kill(daemon.pid, SIGHUP)
    answers += 1
    let isAnswered = daemon.log.wait { ReloadedDaemon.answers(in: $0).count >= answers }
    guard isAnswered, let answer = ReloadedDaemon.answers(in: daemon.log.text).last else {
      throw TestFailure("the daemon does not answer a reload; it says: \(daemon.log.text)")
    }
    return answer.contains("reloaded")
  }

  /// The last line of what it said to each reload.
  private static func answers(in log: String) -> [Substring] {
    log.split(separator: "\n").filter { $0.contains("nvmed: reloaded") || $0.contains("nvmed: reload refused") }
  }

  /// A host of a controller, which has begun and takes notice of namespaces that change.
  func host(_ socket: String, memory: Int = 8 << 20) throws -> HostController {
    let host = try HostController(
      path: folder.file(socket), memory: try HostMemory(byteCount: memory),
      options: HostOptions(doorbells: .slots, vectors: 3))
    try host.initialize(queues: 2)
    let notices = AsynchronousEventConfiguration.namespaceAttributeNotices.rawValue
    try host.requireSuccess(host.setFeature(.asynchronousEventConfiguration, notices))
    return host
  }

  /// Whether the daemon has a file open.
  func hasOpen(_ name: String) throws -> Bool {
    let directory = "/proc/\(daemon.pid)/fd"
    guard let entries = opendir(directory) else { throw Errno.current }
    defer { closedir(entries) }
    while let entry = readdir(entries) {
      let number = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink("\(directory)/\(number)", &buffer, buffer.count)
      let target = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if target == folder.file(name) { return true }
    }
    return false
  }

  /// A namespace table.
  static func namespace(_ image: String, _ rest: String = "") -> String {
    "[[controller.namespace]]\nimage = \"\(image)\"\n\(rest)\n"
  }

  /// A controller table.
  static func controller(_ name: String, _ rest: String = "") -> String {
    "[[controller]]\nname = \"\(name)\"\nsocket = \"\(name).sock\"\npost_write = \"kernel\"\n\(rest)\n"
  }
}

extension HostController {
  /// Submits an Asynchronous Event Request: its command identifier.
  func requestEvent() throws -> UInt16 {
    try withAdminQueue { (queue) throws(HostError) in
      guard let identifier = queue.submit(.asynchronousEventRequest) else { throw .queueFull }
      queue.ring()
      return identifier
    }
  }

  /// Waits for the event that completes a request.
  func awaitEvent(_ request: UInt16) throws -> AsynchronousEvent? {
    let completion = try withAdminQueue { (queue) throws(HostError) in try queue.awaitCompletion(of: request) }
    guard completion.status.isSuccess else { throw HostError.failed(completion.status) }
    return AsynchronousEvent(completionDword0: completion.dw0)
  }

  /// Reads the Changed Namespace List, which clears it.
  func changedNamespaces() throws -> [UInt32]? {
    let page = try getLogPage(.changedNamespaceList, byteCount: ChangedNamespaceListLog.byteCount)
    return ChangedNamespaceListLog(decoding: page)?.identifiers
  }

  /// The identifiers of the active namespaces.
  func activeNamespaces() throws -> [UInt32] {
    NamespaceList(decoding: try identify(cns: IdentifyCNS.activeNamespaceList.rawValue))?.identifiers ?? []
  }
}
