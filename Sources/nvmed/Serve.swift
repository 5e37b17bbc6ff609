import ArgumentParser
import Daemon
import Doorbells
import Glibc
import LinuxIO

/// `nvmed serve`: in the foreground, until SIGTERM.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serves controllers until SIGTERM or SIGINT.",
    discussion: """
      One controller is described by options; several by a configuration file:

        nvmed serve --socket-path /run/vm1.sock --image /srv/vm1.img
        nvmed serve --fd 3 --image-fd 4
        nvmed serve --config /etc/nvmed/nvmed.toml
      """)

  @Option(name: .long, help: "Configuration file (TOML); excludes the options of a single controller.")
  var config: String?

  @Option(name: .long, help: "Path of the vfio-user socket to listen on.")
  var socketPath: String?

  @Option(
    name: .long,
    help: "Number of an inherited socket: a connected one is served until it closes, a listening one for ever.")
  var fd: Int32?

  @Option(
    name: [.long, .customLong("blk-file")], help: "Raw disk image or block device; repeat it for more namespaces.")
  var image: [String] = []

  @Option(
    name: .long,
    help: "Number of an inherited descriptor of an open image; repeat it, and mix it with --image: the order counts.")
  var imageFd: [Int32] = []

  @Option(name: .long, help: "Size of a namespace that keeps its data in memory and loses it at the end, such as 1GiB.")
  var memory: String?

  @Option(name: .long, help: "Size of a namespace that keeps no data, for benchmarks, such as 1GiB.")
  var null: String?

  @Option(name: .long, help: "Bytes of a logical block: 512 or 4096.")
  var blockSize: Int?

  @Flag(name: .long, help: "Refuse writes.")
  var readOnly = false

  @Flag(name: .long, help: "Use the host's page cache instead of O_DIRECT.")
  var buffered = false

  @Option(name: .long, help: "Serial number, at most 20 characters.")
  var serial: String?

  @Option(name: .long, help: "I/O queue pairs, 1 to 64.")
  var queues: Int?

  @Option(name: .long, help: "How doorbells may be rung beside messages: auto, ioeventfd or poll.")
  var doorbells: String?

  @Option(name: .long, help: "How doorbell values arrive beside messages: auto, kernel, ebpf or off.")
  var postWrite: String?

  @Option(name: .long, help: "Whether doorbell values may lie in guest memory (DBBUF): off, on or required.")
  var shadowDoorbells: String?

  @Option(name: .long, help: "I/O threads, 1 to 64.")
  var ioThreads: Int?

  @Option(name: .long, help: "Least important log lines: trace, debug, info, notice, warning or error.")
  var logLevel: String?

  @Option(
    name: .long, help: "Path of the socket for nvmed ctl and nvmed top. With it, no controller needs to be given.")
  var controlSocket: String?

  @Option(name: .long, help: "Name or number of a group whose members may use the control socket too.")
  var controlGroup: String?

  @Option(
    name: .long, help: "What is given up after start-up: on (all that is not needed), log (only log calls) or off.")
  var sandbox: String?

  @Option(name: .long, help: "Folder that images may be opened from while it runs; repeat it for more.")
  var imageFolder: [String] = []

  @Flag(name: .long, help: "Print what this program can do as JSON, for management software, and serve nothing.")
  var printCapabilities = false

  func run() throws {
    guard !printCapabilities else { return print(BackendCapabilities.text) }
    do {
      let activation = try SocketActivation.take()
      var configuration = try daemonConfiguration(isActivated: !activation.isEmpty)
      try activation.assign(to: &configuration, byName: config != nil)
      guard let config else { return try Daemon.run(configuration) }
      // The file is read again where it was found first, whatever the working directory is by then.
      var command = self
      command.config = absolutePath(config)
      try Daemon.run(configuration, file: absolutePath(config)) { [command] () throws(ConfigurationErrors) in
        try command.reread()
      }
    } catch let error as DaemonError {
      throw Failure(error.description)
    } catch let errors as ConfigurationErrors {
      throw Failure(errors.description)
    }
  }

  private func daemonConfiguration(isActivated: Bool) throws -> DaemonConfiguration {
    var configuration: DaemonConfiguration
    if let config {
      guard socketPath == nil, fd == nil, image.isEmpty, imageFd.isEmpty, memory == nil, null == nil,
        blockSize == nil, serial == nil, queues == nil, doorbells == nil, postWrite == nil, shadowDoorbells == nil,
        !readOnly, !buffered
      else {
        throw ValidationError("--config describes the controllers: give it without options of a single controller")
      }
      configuration = try DaemonConfiguration(path: config, checkingFiles: true)
    } else {
      configuration = DaemonConfiguration(
        controllers: isEmpty && !isActivated ? [] : [try singleController(isActivated: isActivated)])
    }
    override(&configuration)
    if let logLevel {
      guard let level = LogLevel(rawValue: logLevel) else {
        throw ValidationError("--log-level: write trace, debug, info, notice, warning or error, not '\(logLevel)'")
      }
      configuration.logLevel = level
    }
    if let sandbox {
      guard let choice = SandboxChoice(rawValue: sandbox) else {
        throw ValidationError("--sandbox: write on, log or off, not '\(sandbox)'")
      }
      configuration.sandbox = choice
    }
    configuration.imageFolders += imageFolder.map(absolutePath)
    try configuration.check()
    return configuration
  }

  /// Reads the configuration file again; what the options say holds on.
  private func reread() throws(ConfigurationErrors) -> DaemonConfiguration {
    var configuration = try DaemonConfiguration(path: config ?? "")
    override(&configuration)
    if let logLevel, let level = LogLevel(rawValue: logLevel) { configuration.logLevel = level }
    if let sandbox, let choice = SandboxChoice(rawValue: sandbox) { configuration.sandbox = choice }
    configuration.imageFolders += imageFolder.map(absolutePath)
    try configuration.check()
    return configuration
  }

  /// What the options say beside or in place of a file.
  private func override(_ configuration: inout DaemonConfiguration) {
    if let ioThreads { configuration.ioThreads = ioThreads }
    if let controlSocket { configuration.controlSocket = absolutePath(controlSocket) }
    if let controlGroup { configuration.controlGroup = controlGroup }
  }

  /// Whether controllers are to come over the control socket only.
  private var isEmpty: Bool {
    controlSocket != nil && socketPath == nil && fd == nil && image.isEmpty && imageFd.isEmpty && memory == nil
      && null == nil
  }

  private func singleController(isActivated: Bool) throws -> ControllerConfiguration {
    guard socketPath == nil || fd == nil, socketPath != nil || fd != nil || isActivated else {
      throw ValidationError("give --socket-path PATH or --fd NUMBER (one of them), or --config FILE")
    }
    let images = ImageArgument.inOrder(paths: image.map(absolutePath), descriptors: imageFd, of: CommandLine.arguments)
    guard !images.isEmpty || memory != nil || null != nil else {
      throw ValidationError("give at least one --image FILE (or --image-fd NUMBER, --memory SIZE, or --null SIZE)")
    }
    var namespaces = images.map { image in
      var namespace = NamespaceConfiguration(
        blockSize: blockSize ?? 512, isReadOnly: readOnly, cache: buffered ? .buffered : .direct)
      switch image {
      case .path(let path): namespace.imagePath = path
      case .descriptor(let number): namespace.inheritedImage = number
      }
      return namespace
    }
    if let memory {
      namespaces.append(
        NamespaceConfiguration(
          backend: .memory, size: try size(memory, "--memory"), blockSize: blockSize ?? 512, isReadOnly: readOnly))
    }
    if let null {
      namespaces.append(
        NamespaceConfiguration(backend: .null, size: try size(null, "--null"), blockSize: blockSize ?? 512))
    }
    guard let doorbells = DoorbellChoice(rawValue: doorbells ?? "auto") else {
      throw ValidationError("--doorbells: write auto, ioeventfd or poll, not '\(doorbells ?? "")'")
    }
    guard let shadowDoorbells = ShadowDoorbellMode(rawValue: shadowDoorbells ?? "off") else {
      throw ValidationError("--shadow-doorbells: write off, on or required, not '\(shadowDoorbells ?? "")'")
    }
    guard let postWrite = PostWriteChoice(rawValue: postWrite ?? "auto") else {
      throw ValidationError("--post-write: write auto, kernel, ebpf or off, not '\(postWrite ?? "")'")
    }
    return ControllerConfiguration(
      name: "nvme0", socketPath: socketPath.map(absolutePath), inheritedSocket: fd,
      serial: serial ?? defaultSerial(images),
      ioQueues: queues ?? 64, doorbells: doorbells, postWrite: postWrite, shadowDoorbells: shadowDoorbells,
      namespaces: namespaces)
  }

  /// A serial number that differs between daemons and stays with a disk: guests name disks by it.
  private func defaultSerial(_ images: [ImageArgument]) -> String {
    NamespaceIdentifiers.serial(of: images.first?.name ?? socketPath.map(absolutePath) ?? "descriptor \(fd ?? -1)")
  }

  private func size(_ text: String, _ option: String) throws -> UInt64 {
    guard let bytes = ByteSize(text: text) else {
      throw ValidationError("\(option): write a size such as 512MiB or 1GiB, not '\(text)'")
    }
    return bytes.byteCount
  }
}
