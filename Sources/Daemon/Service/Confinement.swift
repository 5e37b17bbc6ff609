import Glibc
import LinuxIO
import Logging
import Metrics
import Sandbox

/// What the daemon keeps of its rights when everything is open and before threads are started, by its configuration.
enum Confinement {
  /// The images and folders of images that Landlock leaves open; nil where it limits nothing.
  private static let openImages = Locked<[String]?>(nil)

  /// Whether an image cannot be opened whatever the user may do, as the sandbox does not leave its folder open.
  static func hides(_ path: String) -> Bool {
    openImages.withLock { open in
      guard let open else { return false }
      return !open.contains { path == $0 || path.hasPrefix($0 == "/" ? $0 : $0 + "/") }
    }
  }

  /// Becomes the configured user, and enters the sandbox.
  ///
  /// - Parameters:
  ///   - file: the configuration file, whose folder may be read later.
  ///   - ways: what of them may be needed later is set up now.
  /// - Throws: a sentence on what could not be given up.
  static func enter(
    _ configuration: DaemonConfiguration, file: String?, ways: PostWriteWays, logger: Logger
  ) throws(DaemonError) {
    // What is found out when a client asks for it takes rights that are gone by then.
    let isConfined = configuration.sandbox != .off || configuration.user != nil
    let isTracing = isConfined && ways.settle(configuration.controllers.map(\.postWrite))
    var sandbox = sandbox(configuration, file: file)
    sandbox.tracing = isTracing
    if isTracing { sandbox.capabilities = [.bpf, .performanceMonitoring, .trace] }
    do throws(SandboxError) {
      if let user = configuration.user {
        let account = try Account(user: user, group: configuration.group)
        giveSockets(of: configuration, to: account)
        try account.become(keeping: sandbox.capabilities)
        logger.info("user '\(account.name)'")
      }
      let report = try sandbox.enter()
      if report.landlock != nil { openImages.withLock { $0 = sandbox.images } }
      if sandbox.mode != .off {
        logger.info("sandbox\(sandbox.mode == .log ? " (log)" : ""): \(report)\(isTracing ? ", as eBPF is used" : "")")
      }
    } catch { throw DaemonError(error.description) }
  }

  /// The sandbox of a configuration.
  static func sandbox(_ configuration: DaemonConfiguration, file: String?) -> Sandbox {
    var sandbox = Sandbox(mode: mode(configuration.sandbox))
    let images = configuration.controllers.flatMap(\.namespaces).compactMap(\.imagePath)
    // The kernel looks at where links lead.
    sandbox.images = unique(
      configuration.imageFolders + images.flatMap { [$0, target($0)] }.compactMap { room(of: $0, configuration) })
    if case .tcp = configuration.metricsAddress { sandbox.network = true }
    sandbox.socketFolders = unique(sockets(of: configuration).map(folder))
    // What descriptors are, what the limits of asynchronous I/O are, and by what a block device is known.
    let system = ["/proc", "/sys"].filter { (path: String) in unsafe access(path, F_OK) == 0 }
    sandbox.readable = unique(system + (file.map { [folder($0), folder(target($0))] } ?? []))
    return sandbox
  }

  /// What may be opened again of an image that is configured: its folder, as images are replaced there, or itself where
  /// it is a device or other folders are configured; nothing of its own where it is in one of these.
  ///
  /// The kernel keeps the inode of each file that a rule names until the process ends: the space of an image that was
  /// removed and deleted would not be free before.
  private static func room(of image: String, _ configuration: DaemonConfiguration) -> String? {
    var found = stat()
    guard unsafe stat(image, &found) == 0 else { return nil }
    let isFile = found.st_mode & S_IFMT == S_IFREG
    if isFile, configuration.imageFolders.contains(where: { isInside(image, $0) }) { return nil }
    return isFile && configuration.imageFolders.isEmpty ? folder(image) : image
  }

  private static func isInside(_ file: String, _ folder: String) -> Bool {
    let folder = target(folder)
    return target(file).hasPrefix(folder.hasSuffix("/") ? folder : folder + "/")
  }

  private static func mode(_ choice: SandboxChoice) -> Sandbox.Mode {
    switch choice {
    case .on: .on
    case .log: .log
    case .off: .off
    }
  }

  /// The files of the sockets are those of the user that the process becomes, as if it had made them.
  private static func giveSockets(of configuration: DaemonConfiguration, to account: borrowing Account) {
    for path in configuration.controllers.compactMap(\.socketPath) + metricsSocket(of: configuration) {
      _ = unsafe lchown(path, account.user, account.group)
    }
    // Its group says who may connect.
    if let path = configuration.controlSocket {
      _ = unsafe lchown(path, account.user, configuration.controlGroup == nil ? account.group : gid_t.max)
    }
  }

  private static func sockets(of configuration: DaemonConfiguration) -> [String] {
    configuration.controllers.compactMap(\.socketPath) + (configuration.controlSocket.map { [$0] } ?? [])
      + metricsSocket(of: configuration)
  }

  private static func metricsSocket(of configuration: DaemonConfiguration) -> [String] {
    if case .unix(let path)? = configuration.metricsAddress { [path] } else { [] }
  }

  /// Where a path leads that may have links in it; the path itself where it leads nowhere.
  private static func target(_ path: String) -> String {
    guard let found = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
  }

  private static func folder(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func unique(_ paths: [String]) -> [String] {
    var seen: Set<String> = []
    return paths.filter { seen.insert($0).inserted }
  }
}
