import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import VFIOUser

/// A daemon that serves one controller with one or more images, and what a test needs to be its client.
final class ServedController {
  let folder: TestFolder
  let images: [ImageFile]
  let blockByteCount: Int
  let daemon: DaemonProcess
  let socketPath: String

  /// Starts a daemon and waits until it serves.
  ///
  /// - Parameters:
  ///   - megabytes: the size of each namespace's image, in MiB.
  ///   - options: more options of the command line.
  init(megabytes: [Int] = [16], blockByteCount: Int = 512, options: [String] = []) throws {
    folder = try TestFolder()
    self.blockByteCount = blockByteCount
    socketPath = folder.file("socket")
    images = try megabytes.enumerated().map { [folder] in
      try folder.image("disk\($0)", byteCount: $1 << 20)
    }
    daemon = try ServedController.start(folder, images, blockByteCount, options)
  }

  /// Starts a daemon on images that are there.
  init(_ folder: TestFolder, images: [ImageFile], blockByteCount: Int = 512, options: [String] = []) throws {
    self.folder = folder
    self.blockByteCount = blockByteCount
    socketPath = folder.file("socket")
    self.images = images
    daemon = try ServedController.start(folder, images, blockByteCount, options)
  }

  private static func start(
    _ folder: TestFolder, _ images: [ImageFile], _ blockByteCount: Int, _ options: [String]
  ) throws -> DaemonProcess {
    // The clients of these tests have slots, whatever VMs other tests run in this process meanwhile.
    let slots = options.contains("--doorbells") || options.contains("--post-write") ? [] : ["--post-write", "kernel"]
    let daemon = try DaemonProcess(
      ["serve", "--socket-path", folder.file("socket"), "--block-size", "\(blockByteCount)"]
        + images.flatMap { ["--image", $0.path] } + slots + options)
    try daemon.awaitReady()
    return daemon
  }

  /// Connects a host whose driver has begun.
  ///
  /// - Parameters:
  ///   - memory: the guest's; nil: 32 MiB.
  ///   - queues: I/O queue pairs to ask for.
  func host(
    _ options: HostOptions = HostOptions(), memory: HostMemory? = nil, queues: Int = 16
  ) throws -> HostController {
    let host = try HostController(
      path: socketPath, memory: try memory ?? HostMemory(byteCount: 32 << 20), options: options)
    try host.initialize(queues: queues)
    return host
  }
}

extension HostQueue {
  /// Writes blocks of a pattern, from a buffer that is used for it.
  mutating func writePattern(
    _ data: HostBuffer, slba: UInt64, version: UInt64, blockByteCount: Int, nsid: UInt32 = 1,
    forceUnitAccess: Bool = false, _ kind: DataPointerKind = .prp
  ) throws {
    BlockPattern.fill(data, slba: slba, version: version, blockByteCount: blockByteCount)
    let completion = try write(
      nsid: nsid, slba: slba, blocks: data.count / blockByteCount, from: data, forceUnitAccess: forceUnitAccess, kind)
    guard completion.status.isSuccess else {
      throw TestFailure("write of \(data.count) bytes at \(slba), \(kind): \(completion.status)")
    }
  }

  /// Reads blocks into a buffer, and checks that they are the pattern.
  mutating func readPattern(
    _ data: HostBuffer, slba: UInt64, version: UInt64, blockByteCount: Int, nsid: UInt32 = 1,
    _ kind: DataPointerKind = .prp
  ) throws {
    data.fill(0xEE)
    let completion = try read(nsid: nsid, slba: slba, blocks: data.count / blockByteCount, into: data, kind)
    guard completion.status.isSuccess else {
      throw TestFailure("read of \(data.count) bytes at \(slba), \(kind): \(completion.status)")
    }
    let difference = BlockPattern.firstDifference(data, slba: slba, version: version, blockByteCount: blockByteCount)
    if let difference {
      throw TestFailure(
        "read of \(data.count) bytes at \(slba), \(kind): block \(difference) is not version \(version)")
    }
  }
}

extension ClientConnection {
  /// Ends the connection at once. Closing alone would not: a daemon that another test is just starting has a copy of the
  /// descriptor until it runs its program.
  func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
