import Glibc
import LinuxIO
import Logging
import NVMeController
import Storage

@testable import DeviceServer

/// A directory of its own for socket files; removed with what is in it.
final class SocketDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/nvmed-device-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw Errno.current }
    path = String(cString: made)
  }

  deinit {
    unlink(path + "/cntrl")
    rmdir(path)
  }
}

/// Options of a device with one namespace in memory, 1 MiB of blocks of 512 bytes.
func testOptions(name: String = "test") throws -> DeviceOptions {
  var controller = ControllerDescription(
    serialNumber: "serial", subsystemName: "nqn.2014-08.org.nvmexpress:uuid:00000000-0000-0000-0000-000000000000")
  controller.queueCount = 4
  let namespace = Namespace(
    backend: try BlockBackend(memory: 1 << 20), nguid: [UInt8](repeating: 1, count: 16),
    uuid: [UInt8](repeating: 2, count: 16), eui64: [UInt8](repeating: 3, count: 8), discards: true)
  return DeviceOptions(name: name, controller: controller, namespaces: [namespace])
}

/// Starts I/O threads that sleep when there is nothing to do.
func startPool(threads: Int = 1) throws -> IOThreadPool {
  var options = IOThreadPool.Options()
  options.threads = threads
  options.requests = 64
  options.workers = 1
  options.spinLimit = 0
  let pool = try IOThreadPool.start(options)
  // Until they run, and have opened what they open then: there are tests that count descriptors.
  let runs = try EventFD()
  let number = runs.rawValue
  for handle in pool.handles {
    handle.ping { EventFD.signal(rawValue: number) }
    runs.wait()
    runs.drain()
  }
  return pool
}

/// A logger that says nothing.
let silentLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A device server with what it needs, for one test; ended with it.
final class ServedDevice {
  let pool: IOThreadPool
  /// Signalled when the server's thread has ended.
  let ended: EventFD
  private let ownsPool: Bool
  private let directory: SocketDirectory?
  let server: DeviceServer
  private var isStopped = false

  /// Serves whoever connects.
  ///
  /// - Parameters:
  ///   - pool: I/O threads of another device; nil: threads of its own.
  ///   - logger: takes what there is to say.
  init(
    _ options: DeviceOptions? = nil, pool: IOThreadPool? = nil, threads: Int = 1, logger: Logger = silentLogger
  ) throws {
    let directory = try SocketDirectory()
    self.directory = directory
    ownsPool = pool == nil
    let threads = try pool ?? startPool(threads: threads)
    self.pool = threads
    let over = try EventFD()
    ended = try over.duplicate()
    let listener = try UnixListener(path: directory.path + "/cntrl")
    let signal = Signal(over)
    server = try DeviceServer(
      try options ?? testOptions(), pool: threads, endpoint: .listener(listener), logger: logger,
      ended: { signal.give() })
  }

  /// Serves one client, on a socket that is connected already.
  init(serving socket: consuming FileDescriptor, _ options: DeviceOptions? = nil) throws {
    directory = nil
    ownsPool = true
    let threads = try startPool()
    pool = threads
    let over = try EventFD()
    ended = try over.duplicate()
    let signal = Signal(over)
    server = try DeviceServer(
      try options ?? testOptions(), pool: threads, endpoint: .connected(socket), logger: silentLogger,
      ended: { signal.give() })
  }

  deinit {
    stop()
    if ownsPool { pool.stop() }
  }

  /// Ends the server.
  func stop() {
    if !isStopped { server.stop() }
    isStopped = true
  }

  /// The socket to connect to.
  var path: String { (directory?.path ?? "") + "/cntrl" }

  /// A client that has connected and says nothing yet.
  func connectSilently() throws -> Client {
    let client = Client(try UnixSocket.connect(path: path))
    // An optimised build ends what is not mentioned any more.
    client.server = self
    return client
  }

  /// A client that has introduced itself.
  func connect(_ json: String? = qemuJSON) throws -> Client {
    let client = try connectSilently()
    let answer = try client.negotiate(json)
    guard answer == reply(Number.version, version(serverJSON)) else { throw Client.Unexpected(bytes: answer) }
    return client
  }

  private final class Signal: Sendable {
    private let event: EventFD
    init(_ event: consuming EventFD) { self.event = event }
    func give() { event.signal() }
  }
}
