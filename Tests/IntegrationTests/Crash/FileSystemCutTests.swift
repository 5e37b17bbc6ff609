import Glibc
import LinuxIO
import NVMeHost
import Testing

/// ext4 on the namespace, and the power of the disk beneath cut: at every sync, and between them with any part of what
/// was not synced lost. The file system recovers without an error, and has each file that a program was told is durable.
///
/// `NVMED_CRASH_FILES` is how many files a run writes; scripts/crash-test sets it.
@Suite(.enabled(if: FUSEFile.isPossible && LoopFileSystem.isPossible, "loop devices need root"))
struct FileSystemCutTests {
  static let steps = environment("NVMED_CRASH_FILES").flatMap { Int($0) } ?? 4

  @Test(arguments: [512, 4096], [false, true]) func recovers(_ block: Int, _ isBuffered: Bool) throws {
    let disk = try RecordedDisk(byteCount: 24 << 20, isCached: isBuffered)
    let history = FileHistory()
    let first = try run(disk, history, block, isBuffered: isBuffered)

    let cuts = try FileSystemCuts(disk.events, byteCount: disk.byteCount, seed: 1)
    var syncs = 0
    var between = 0
    var lost = 0
    var previous = first
    for sync in cuts.syncs(from: first) {
      if sync - previous > 1 {
        for position in [previous + (sync - previous) / 2, sync - 1] {
          lost += try cuts.make(at: position, losing: true)
          try check(cuts.image, history, at: position, block)
          between += 1
        }
      }
      try cuts.make(at: sync, losing: false)
      try check(cuts.image, history, at: sync, block)
      syncs += 1
      previous = sync
    }
    #expect(syncs >= Self.steps)
    #expect(lost > 0, "a disk that loses nothing shows nothing")
    #expect(history.promiseCount > 0)
    print(
      "ext4 on \(block)\(isBuffered ? " buffered" : ""): \(syncs) flush points, \(between) cuts between them,",
      "\(lost) pages lost, \(history.promiseCount) files promised")
  }

  /// Lets ext4 work on a namespace of the disk. Gives the disk's position when the file system was there.
  private func run(_ disk: RecordedDisk, _ history: FileHistory, _ block: Int, isBuffered: Bool) throws -> Int {
    defer { disk.disconnect() }
    let folder = try TestFolder()
    let file = try disk.open()
    let daemon = try DaemonProcess(
      [
        "serve", "--socket-path", folder.file("socket"), "--image-fd", "9", "--block-size", "\(block)", "--post-write",
        "kernel", "--io-threads", "2",
      ] + (isBuffered ? ["--buffered"] : []), handover: [(descriptor: file.rawValue, number: 9)])
    _ = consume file
    try daemon.awaitReady()
    let host = try HostController(
      path: folder.file("socket"), memory: try HostMemory(byteCount: 16 << 20),
      options: HostOptions(doorbells: .slots, vectors: 2))
    try host.initialize(queues: 3)
    let front = try FUSEFile(
      try NVMeFile(host, queueCount: 3), options: FUSEFile.Options(threadCount: 3))
    defer { front.disconnect() }
    let position: Int
    do {
      let opened = try front.open()
      let device = try LoopDevice(opened.rawValue, blockByteCount: block, bypassesCache: true)
      _ = consume opened
      try LoopFileSystem.succeed(LoopFileSystem.mkfs, ["-q", "-F", device.path])
      let system = try LoopFileSystem(device, options: "discard")
      try system.syncNames()
      position = disk.position
      let loads = try (0..<2).map { number in
        let load = FileLoadThread(system, history, number: number, steps: Self.steps) { disk.position }
        try load.start()
        return load
      }
      for load in loads { try load.join() }
      try system.unmount()
    }
    host.disconnect()
    try daemon.terminate()
    return position
  }

  /// Mounts what is left, which replays its journal, and looks at the files; then e2fsck looks at the rest.
  private func check(_ image: ImageFile, _ history: FileHistory, at position: Int, _ block: Int) throws {
    let system = try LoopFileSystem(LoopDevice(image.number, blockByteCount: block))
    let violations = try history.violations(at: position) { try content(system.path($0)) }
    if !violations.isEmpty {
      throw TestFailure("power cut after event \(position): \(violations.joined(separator: "; "))")
    }
    try system.unmount()
    try LoopFileSystem.succeed(LoopFileSystem.e2fsck, ["-fn", image.path], "power cut after event \(position)")
  }

  /// What is in a file; nil where there is none.
  private func content(_ path: String) throws -> [UInt8]? {
    let file = open(path, O_RDONLY)
    guard file >= 0 else {
      guard errno == ENOENT else { throw TestFailure("\(path): \(Errno.current)") }
      return nil
    }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = read(file, &bytes, bytes.count)
    guard count >= 0 else { throw TestFailure("\(path): \(Errno.current)") }
    return Array(bytes.prefix(count))
  }
}

/// A load of files on a thread of its own.
private final class FileLoadThread: @unchecked Sendable {
  private let system: LoopFileSystem
  private let history: FileHistory
  private let number: Int
  private let steps: Int
  private let position: @Sendable () -> Int
  private var thread: Thread?
  private var failure: String?

  init(
    _ system: LoopFileSystem, _ history: FileHistory, number: Int, steps: Int, position: @escaping @Sendable () -> Int
  ) {
    self.system = system
    self.history = history
    self.number = number
    self.steps = steps
    self.position = position
  }

  func start() throws {
    thread = try Thread(name: "file load") { [self] in
      var load = FileLoad(system, history, number: number, seed: UInt64(number + 1), position: position)
      do { try load.run(steps) } catch { failure = "\(error)" }
    }
  }

  func join() throws {
    thread?.join()
    if let failure { throw TestFailure(failure) }
  }
}
