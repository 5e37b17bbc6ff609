import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// A VMM or launcher that opens everything itself and starts a daemon that needs to open nothing: the worked example of
/// `nvmed serve --fd --image-fd`.
@Suite struct HandoffTests {
  @Test func aParentOpensSocketAndImage() throws {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: 1 << 20)

    // The parent: one end of a socket pair stays here, the other one and the image go to the child as 100 and 101.
    let pair = try UnixSocketPair()
    let opened = try FileDescriptor(path: image.path, flags: O_RDWR)
    let daemon = try DaemonProcess(
      ["serve", "--fd", "100", "--image-fd", "101", "--post-write", "kernel"],
      handover: [(pair.second.rawValue, 100), (opened.rawValue, 101)])
    let socket = try pair.first.duplicate()
    _ = consume pair

    // The VMM: the socket is connected, so it speaks at once, and the daemon ends with it.
    let host = try HostController(
      socket: socket, memory: try HostMemory(byteCount: 8 << 20), options: HostOptions(doorbells: .slots, vectors: 2))
    try host.initialize()
    var queue = try host.createQueue(1, depth: 64, vector: 1)
    let data = try host.memory.allocate(64 << 10)
    try queue.writePattern(data, slba: 100, version: 1, blockByteCount: 512)
    #expect(fcntl(opened.rawValue, F_GETFL) & openDirect != 0, "the open file has got O_DIRECT")
    let serial = host.identity.serialNumber
    host.disconnect()
    let end = try daemon.awaitEnd()
    #expect(end == .exit(0), "it says: \(daemon.log.text)")
    // The lock lasts as long as the open file, which the parent has too.
    _ = consume opened
    #expect(try image.read(at: 51_200, count: data.count) == data.bytes)

    // The same disk by its path has the same serial number.
    let served = try ServedController(folder, images: [image])
    let again = try served.host()
    #expect(again.identity.serialNumber == serial)
    again.disconnect()
    try served.daemon.terminate()
  }

  @Test func keepsTheOrderOfPathsAndDescriptors() throws {
    let folder = try TestFolder()
    let images = try (1...4).map { try folder.image("disk\($0)", byteCount: $0 << 20) }
    let second = try FileDescriptor(path: images[1].path, flags: O_RDWR | O_APPEND)
    let fourth = try FileDescriptor(path: images[3].path, flags: O_RDWR)
    let daemon = try DaemonProcess(
      [
        "serve", "--socket-path", folder.file("socket"), "--image", images[0].path, "--image-fd", "100",
        "--blk-file=\(images[2].path)", "--image-fd=101",
      ], handover: [(second.rawValue, 100), (fourth.rawValue, 101)])
    try daemon.awaitReady()
    let host = try HostController(path: folder.file("socket"), memory: try HostMemory(byteCount: 8 << 20))
    try host.initialize()
    #expect(try host.namespaces().map(\.blockCount) == (1...4).map { UInt64($0 << 20 / 512) })
    // O_APPEND would send the write to the end of the file.
    var queue = try host.createQueue(1, depth: 16)
    let data = try host.memory.allocate(4096)
    try queue.writePattern(data, slba: 8, version: 1, blockByteCount: 512, nsid: 2)
    #expect(try images[1].read(at: 4096, count: 4096) == data.bytes)
    host.disconnect()
    try daemon.terminate()
  }

  @Test func servesAReadOnlyDescriptor() throws {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: 1 << 20)
    let opened = try FileDescriptor(path: image.path, flags: O_RDONLY)
    let daemon = try DaemonProcess(
      ["serve", "--socket-path", folder.file("socket"), "--image-fd", "100", "--read-only"],
      handover: [(opened.rawValue, 100)])
    try daemon.awaitReady()
    let host = try HostController(path: folder.file("socket"), memory: try HostMemory(byteCount: 8 << 20))
    try host.initialize()
    var queue = try host.createQueue(1, depth: 16)
    let data = try host.memory.allocate(512)
    #expect(try queue.read(nsid: 1, slba: 0, blocks: 1, into: data).status == .success)
    #expect(try queue.write(nsid: 1, slba: 0, blocks: 1, from: data).status == .namespaceWriteProtected)
    host.disconnect()
    try daemon.terminate()
  }

  /// One sentence each, and nothing is started.
  @Test func refusesWhatIsNoImage() throws {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: 1 << 20)
    let reading = try FileDescriptor(path: image.path, flags: O_RDONLY)
    let writing = try FileDescriptor(path: image.path, flags: O_WRONLY)
    let both = try FileDescriptor(path: image.path, flags: O_RDWR)
    let other = try folder.image("locked", byteCount: 1 << 20)
    let holder = try DaemonProcess(["serve", "--socket-path", folder.file("other"), "--image", other.path])
    try holder.awaitReady()
    let locked = try FileDescriptor(path: other.path, flags: O_RDWR)
    let directory = try FileDescriptor(path: folder.path, flags: O_RDONLY | O_DIRECTORY)
    let null = try FileDescriptor(path: "/dev/null", flags: O_RDWR)
    let pair = try UnixSocketPair()
    let cases: [(descriptors: [Int32], options: [String], expected: String)] = [
      ([reading.rawValue], [], "is not open for reading and writing; open it O_RDWR, or set read_only = true"),
      ([writing.rawValue], ["--read-only"], "is not open for reading"),
      ([directory.rawValue], ["--read-only"], "is a directory; a raw image file or a block device is needed"),
      ([null.rawValue], [], "is a character device; a raw image file or a block device is needed"),
      ([pair.first.rawValue], [], "is a socket; a raw image file or a block device is needed"),
      ([locked.rawValue], [], "is in use by another process"),
      ([both.rawValue, both.rawValue], [], "is the image of another namespace already"),
      ([], ["--image-fd", "100"], "--image-fd 100: no descriptor 100 was inherited"),
      ([both.rawValue], ["--image-fd", "100"], "hand over one descriptor for each namespace"),
      ([], ["--image-fd", "2"], "--image-fd 2: that is a standard stream"),
    ]
    for (descriptors, options, expected) in cases {
      let numbers = descriptors.indices.map { Int32(100 + $0) }
      let daemon = try DaemonProcess(
        ["serve", "--socket-path", folder.file("socket")] + numbers.flatMap { ["--image-fd", "\($0)"] } + options,
        handover: Array(zip(descriptors, numbers)))
      let end = try daemon.awaitEnd()
      #expect(end == .exit(1), "\(expected); it says: \(daemon.log.text)")
      #expect(daemon.log.text.contains(expected), "it says: \(daemon.log.text)")
      #expect(access(folder.file("socket"), F_OK) == -1, "a socket was made")
    }
    try holder.terminate()
  }

  /// Every feature is an option, so that management software may rely on the list.
  @Test func printsItsCapabilities() throws {
    let (end, text) = try runToEnd(["--print-capabilities"])
    #expect(end == .exit(0))
    #expect(text.hasPrefix("{\n  \"type\": \"nvme\",\n  \"protocol\": \"vfio-user\",\n  \"features\": [\n"))
    let features = text.split(separator: "[")[1].split(separator: "]")[0].split(separator: "\"").enumerated()
      .filter { $0.offset % 2 == 1 }.map { $0.element }
    #expect(features.contains("read-only") && features.contains("image-fd"))
    let help = try runToEnd(["serve", "--help"]).text
    for feature in features { #expect(help.contains("--\(feature)"), "\(feature)") }
    #expect(try runToEnd(["serve", "--print-capabilities"]).text == text)
  }
}
