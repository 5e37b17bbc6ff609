import Doorbells
import Metrics

/// What the daemon is asked to do: its threads, its log and its controllers.
///
/// Defaults are those of the initializers; `ConfigurationSchema` shows and checks the same fields in a file.
public struct DaemonConfiguration: Sendable, Equatable {
  /// Threads that process I/O queues, 1 to 64.
  public var ioThreads: Int
  /// CPU of each I/O thread, in order; empty to let the kernel place them.
  public var ioCPUs: [Int32]
  /// The least important messages that are still logged.
  public var logLevel: LogLevel
  /// What log lines look like, and where they go.
  public var logFormat: LogFormat
  /// Threads for work that may take long (flush, discard, format), 1 to 64.
  public var workerThreads: Int
  /// us that an I/O thread looks on for work before it sleeps, at most; 0 to 1,000.
  public var spinMicroseconds: Int
  /// us that the first command of an idle polled controller waits, at most; 1 to 100,000.
  public var pollSleepMicroseconds: Int
  /// Absolute path of the control socket; nil: there is none.
  public var controlSocket: String?
  /// Number of a control socket inherited from whoever started the daemon (systemd); never from a file.
  public var inheritedControlSocket: Int32?
  /// Name or number of the group whose members may control the daemon; nil: none beside root and the daemon's user.
  public var controlGroup: String?
  /// What the process gives up after start-up.
  public var sandbox: SandboxChoice
  /// The user that the process becomes, where it is started as root; nil: none other.
  public var user: String?
  /// The group that it becomes a member of with it; nil: the user's.
  public var group: String?
  /// Absolute paths of folders that images may be opened from while it runs; empty: the folders of the first images.
  public var imageFolders: [String]
  /// Where metrics are served; `nil`: nowhere.
  public var metricsAddress: MetricsAddress?
  /// The controllers, in the order of the file.
  public var controllers: [ControllerConfiguration]

  /// A configuration of the given parts.
  public init(
    ioThreads: Int = 1, ioCPUs: [Int32] = [], logLevel: LogLevel = .info, logFormat: LogFormat = .auto,
    workerThreads: Int = 2, spinMicroseconds: Int = 20, pollSleepMicroseconds: Int = 1000,
    controlSocket: String? = nil, controlGroup: String? = nil, sandbox: SandboxChoice = .on, user: String? = nil,
    group: String? = nil, imageFolders: [String] = [], metricsAddress: MetricsAddress? = nil,
    controllers: [ControllerConfiguration] = []
  ) {
    self.ioThreads = ioThreads
    self.ioCPUs = ioCPUs
    self.logLevel = logLevel
    self.logFormat = logFormat
    self.workerThreads = workerThreads
    self.spinMicroseconds = spinMicroseconds
    self.pollSleepMicroseconds = pollSleepMicroseconds
    self.controlSocket = controlSocket
    self.controlGroup = controlGroup
    self.sandbox = sandbox
    self.user = user
    self.group = group
    self.imageFolders = imageFolders
    self.metricsAddress = metricsAddress
    self.controllers = controllers
  }
}

/// What the process gives up after start-up: rights, system calls, files.
public enum SandboxChoice: String, CaseIterable, Sendable {
  /// All that it does not need.
  case on
  /// System calls that it should not need are done, and logged by the kernel.
  case log
  /// Nothing.
  case off
}

/// How important a message is, least first.
public enum LogLevel: String, CaseIterable, Codable, Sendable {
  /// Every step; for debugging the daemon.
  case trace
  /// What a developer wants to see.
  case debug
  /// What an operator wants to see.
  case info
  /// Unusual, and no fault.
  case notice
  /// A fault that the daemon works around.
  case warning
  /// A fault that a guest or an operator notices.
  case error
}

/// One NVMe controller: how a VMM reaches it and what the guest sees.
public struct ControllerConfiguration: Sendable, Equatable {
  /// Name in logs, metrics and on the control socket.
  public var name: String
  /// Absolute path of the vfio-user socket to listen on; `nil` when the socket is handed over.
  public var socketPath: String?
  /// Number of a socket inherited from whoever started the daemon (`--fd`, systemd); never from a file.
  public var inheritedSocket: Int32?
  /// Serial Number (SN), 1 to 20 printable ASCII characters.
  public var serial: String
  /// Model Number (MN), 1 to 40 printable ASCII characters.
  public var model: String
  /// Firmware Revision (FR), 1 to 8 printable ASCII characters.
  public var firmware: String
  /// I/O queue pairs offered, 1 to 64; there is one MSI-X vector for each and one for the admin queue.
  public var ioQueues: Int
  /// Entries that a queue can have, 2 to 4096 (CAP.MQES + 1).
  public var queueEntries: Int
  /// Bytes that one command can transfer (MDTS), a power of two from 8 KiB to 2 MiB.
  public var maximumDataTransfer: Int
  /// How doorbells may be rung beside messages.
  public var doorbells: DoorbellChoice
  /// How the values of doorbells arrive that are rung by eventfd.
  public var postWrite: PostWriteChoice
  /// Whether the guest's driver may keep doorbell values in guest memory.
  public var shadowDoorbells: ShadowDoorbellMode
  /// PCI vendor id; `nil` for the daemon's default. Set together with `deviceID`.
  public var vendorID: UInt16?
  /// PCI device id; `nil` for the daemon's default.
  public var deviceID: UInt16?
  /// Index of the I/O thread that processes all queues; `nil` to spread them.
  public var ioThread: Int?
  /// What its I/O queues may do at most.
  public var limits: LimitsConfiguration
  /// The namespaces, at most 64.
  public var namespaces: [NamespaceConfiguration]

  /// A controller of the given parts; without `serial` the name is the serial number.
  public init(
    name: String, socketPath: String? = nil, inheritedSocket: Int32? = nil, serial: String? = nil,
    model: String = "nvmed NVMe controller", firmware: String = "1.0", ioQueues: Int = 64, queueEntries: Int = 256,
    maximumDataTransfer: Int = 512 << 10, doorbells: DoorbellChoice = .auto, postWrite: PostWriteChoice = .auto,
    shadowDoorbells: ShadowDoorbellMode = .off, vendorID: UInt16? = nil, deviceID: UInt16? = nil, ioThread: Int? = nil,
    limits: LimitsConfiguration = LimitsConfiguration(), namespaces: [NamespaceConfiguration] = []
  ) {
    self.name = name
    self.socketPath = socketPath
    self.inheritedSocket = inheritedSocket
    self.serial = serial ?? name
    self.model = model
    self.firmware = firmware
    self.ioQueues = ioQueues
    self.queueEntries = queueEntries
    self.maximumDataTransfer = maximumDataTransfer
    self.doorbells = doorbells
    self.postWrite = postWrite
    self.shadowDoorbells = shadowDoorbells
    self.vendorID = vendorID
    self.deviceID = deviceID
    self.ioThread = ioThread
    self.limits = limits
    self.namespaces = namespaces
  }
}

/// One namespace: what it is made of and how it is used.
public struct NamespaceConfiguration: Sendable, Equatable {
  /// Namespace identifier, 1 to 64; nil: the lowest that no other namespace of the controller has.
  public var nsid: Int?
  /// What the namespace is made of.
  public var backend: NamespaceBackend
  /// Absolute path of the image or block device, for `NamespaceBackend.file`.
  public var imagePath: String?
  /// Number of an image among what was handed over (`HandedOver`): the number of its descriptor where it was inherited;
  /// never from a file.
  public var inheritedImage: Int32?
  /// Size in bytes, for `NamespaceBackend.null` and `.memory`; a file has its own.
  public var size: UInt64?
  /// Bytes of a logical block, 512 or 4096.
  public var blockSize: Int
  /// Whether writes are refused.
  public var isReadOnly: Bool
  /// Whether I/O goes past or through the host's page cache.
  public var cache: CacheMode
  /// Whether deallocated blocks are given back to the host.
  public var discard: Bool
  /// Whether the image is locked against a second user.
  public var lock: Bool
  /// Namespace UUID, 16 bytes as they are written (RFC 9562).
  public var uuid: [UInt8]?
  /// Namespace Globally Unique Identifier, 16 bytes, most significant first.
  public var nguid: [UInt8]?
  /// IEEE Extended Unique Identifier, 8 bytes, most significant first.
  public var eui64: [UInt8]?

  /// A namespace of the given parts.
  public init(
    nsid: Int? = nil, backend: NamespaceBackend = .file, imagePath: String? = nil, inheritedImage: Int32? = nil,
    size: UInt64? = nil,
    blockSize: Int = 512, isReadOnly: Bool = false, cache: CacheMode = .direct, discard: Bool = true,
    lock: Bool = true, uuid: [UInt8]? = nil, nguid: [UInt8]? = nil, eui64: [UInt8]? = nil
  ) {
    self.nsid = nsid
    self.backend = backend
    self.imagePath = imagePath
    self.inheritedImage = inheritedImage
    self.size = size
    self.blockSize = blockSize
    self.isReadOnly = isReadOnly
    self.cache = cache
    self.discard = discard
    self.lock = lock
    self.uuid = uuid
    self.nguid = nguid
    self.eui64 = eui64
  }
}

/// What a namespace is made of.
public enum NamespaceBackend: String, CaseIterable, Codable, Sendable {
  /// A raw image file or a block device.
  case file
  /// Nothing: reads give zeros, writes vanish.
  case null
  /// Memory of the daemon, gone when it ends.
  case memory
}

/// How I/O to an image meets the host's page cache.
public enum CacheMode: String, CaseIterable, Sendable {
  /// Past it (`O_DIRECT`).
  case direct
  /// Through it.
  case buffered
}

/// How a monitor may ring doorbells, beside messages over the socket, which always work.
public enum DoorbellChoice: String, CaseIterable, Codable, Sendable {
  /// The daemon chooses: eventfds.
  case auto
  /// Eventfds and shared memory.
  case ioeventfd
  /// A page to store into, looked at all the time.
  case poll
}

/// How the value of a doorbell arrives that is rung by eventfd.
public enum PostWriteChoice: String, CaseIterable, Codable, Sendable {
  /// `kernel` where this host's KVM has POST_WRITE; else `ebpf` where that can be loaded, for clients that run a virtual
  /// machine; else `kernel`.
  case auto
  /// KVM or the monitor stores it into shared memory.
  case kernel
  /// An eBPF program of the daemon stores it.
  case ebpf
  /// It does not: doorbells are messages.
  case off
}
