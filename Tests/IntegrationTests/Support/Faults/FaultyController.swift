import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// A daemon that serves one controller whose namespaces are each a `FaultDisk`, and a host with one queue pair.
final class FaultyController {
  let disks: [FaultDisk]
  let folder: TestFolder
  let daemon: DaemonProcess
  let host: HostController
  /// A buffer of 64 KiB, for whatever.
  let data: HostBuffer

  /// Starts both.
  ///
  /// - Parameters:
  ///   - megabytes: the size of each disk.
  ///   - count: of the disks: 1 or 2.
  ///   - options: of the disks.
  ///   - arguments: more of the command line; `%` stands for the test's folder.
  init(
    megabytes: Int = 4, disks count: Int = 1, _ options: FaultDisk.Options = FaultDisk.Options(),
    arguments: [String] = []
  ) throws {
    disks = try (0..<count).map { _ in try FaultDisk(byteCount: megabytes << 20, options: options) }
    folder = try TestFolder()
    let socket = folder.file("socket")
    let file = try disks[0].open()
    let last = try disks[count - 1].open()
    var handover: [(descriptor: Int32, number: Int32)] = [(file.rawValue, 9)]
    if count > 1 { handover.append((last.rawValue, 10)) }
    daemon = try DaemonProcess(
      ["serve", "--socket-path", socket, "--image-fd", "9", "--post-write", "kernel"]
        + (count > 1 ? ["--image-fd", "10"] : []) + (options.isCached ? ["--buffered"] : []) + arguments,
      handover: handover)
    _ = consume file
    _ = consume last
    try daemon.awaitReady()
    host = try HostController(
      path: socket, memory: try HostMemory(byteCount: 8 << 20), options: HostOptions(doorbells: .slots, vectors: 2))
    try host.initialize(queues: 2)
    data = try host.memory.allocate(64 << 10)
  }

  /// A daemon with requests that never finish would not end.
  deinit { for disk in disks { disk.disconnect() } }

  /// The first namespace's.
  var disk: FaultDisk { disks[0] }

  /// The host's queue pair.
  func queue() throws -> HostQueue { try host.createQueue(1, depth: 64, vector: 1) }
}

/// What the logs of a controller say of errors.
struct Errors: Equatable {
  /// Error Information, the newest first.
  let entries: [ErrorInformationLogEntry]
  let smart: SMARTHealthLog

  init(_ host: HostController) throws {
    let count = Int(host.identity.errorLogPageEntries) + 1
    let page = try host.getLogPage(
      .errorInformation, byteCount: count * ErrorInformationLogEntry.byteCount, retainsEvent: true)
    entries = ErrorInformationLogEntry.decode(page).filter { $0.errorCount > 0 }
    smart =
      SMARTHealthLog(
        decoding: try host.getLogPage(
          .smartHealthInformation, byteCount: SMARTHealthLog.byteCount, retainsEvent: true)) ?? SMARTHealthLog()
  }
}
