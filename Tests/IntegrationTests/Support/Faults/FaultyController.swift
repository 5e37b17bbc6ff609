import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// A daemon that serves one controller whose only namespace is a `FaultDisk`, and a host with one queue pair.
final class FaultyController {
  let disk: FaultDisk
  let folder: TestFolder
  let daemon: DaemonProcess
  let host: HostController
  /// A buffer of 64 KiB, for whatever.
  let data: HostBuffer

  /// Starts both.
  ///
  /// - Parameters:
  ///   - megabytes: the size of the disk.
  ///   - options: of the disk.
  ///   - arguments: more of the command line; `%` stands for the test's folder.
  init(
    megabytes: Int = 4, _ options: FaultDisk.Options = FaultDisk.Options(), arguments: [String] = []
  ) throws {
    disk = try FaultDisk(byteCount: megabytes << 20, options: options)
    folder = try TestFolder()
    let socket = folder.file("socket")
    let file = try disk.open()
    daemon = try DaemonProcess(
      ["serve", "--socket-path", socket, "--image-fd", "9", "--post-write", "kernel"]
        + (options.isCached ? ["--buffered"] : []) + arguments,
      handover: [(descriptor: file.rawValue, number: 9)])
    _ = consume file
    try daemon.awaitReady()
    host = try HostController(
      path: socket, memory: try HostMemory(byteCount: 8 << 20), options: HostOptions(doorbells: .slots, vectors: 2))
    try host.initialize(queues: 2)
    data = try host.memory.allocate(64 << 10)
  }

  /// A daemon with requests that never finish would not end.
  deinit { disk.disconnect() }

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
