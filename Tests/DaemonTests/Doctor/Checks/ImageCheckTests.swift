import CLinux
import Glibc
import LinuxIO
import Storage
import Testing

@testable import Daemon

@Suite struct ImageCheckTests {
  private func configured(_ path: String, _ change: (inout NamespaceConfiguration) -> Void = { _ in }) -> [Finding] {
    var namespace = NamespaceConfiguration(imagePath: path)
    change(&namespace)
    return ImageCheck(path: path, configuration: namespace).findings()
  }

  @Test func anImageIsNotTouched() throws {
    let folder = try TestFolder()
    let path = try folder.text("disk", String(repeating: "nvmed!!\n", count: 1024))
    var times = [timespec](repeating: timespec(tv_sec: 1_000_000, tv_nsec: 0), count: 2)
    try #require(utimensat(AT_FDCWD, path, &times, 0) == 0)
    let findings = ImageCheck(path: path).findings()
    #expect(findings.identifiers(.missing) == [])
    #expect(try findings.only("storage.open").reason.contains("8 KiB"))
    #expect(try findings.only("storage.size").reason == "16 blocks of 512 bytes.")
    #expect(try findings.only("storage.lock").verdict == .ok)
    #expect(findings.allSatisfy { $0.subject == path })
    var found = stat()
    try #require(stat(path, &found) == 0)
    #expect(found.st_mtim.tv_sec == 1_000_000)
    #expect(folder.entries == ["disk"])
  }

  @Test func saysWhatIsNoImage() throws {
    let folder = try TestFolder()
    try #require(mkfifo(folder.file("pipe"), 0o600) == 0)
    let short = try folder.image("short", byteCount: 511)
    for (path, reason) in [
      (folder.file("none"), "no such file."), (folder.file("pipe"), "is a pipe."),
      ("/dev/null", "is a character device."), (short, "is 511 bytes long, less than one block of 512."),
    ] {
      for findings in [ImageCheck(path: path).findings(), configured(path)] {
        #expect(findings.count == 1)
        let finding = try findings.only("storage.open")
        #expect(finding.verdict == .missing)
        #expect(finding.reason == reason)
        #expect(finding.remedy != nil)
      }
    }
  }

  @Test func saysWhatIsLeftOver() throws {
    let folder = try TestFolder()
    let finding = try ImageCheck(path: try folder.image("disk", byteCount: 4096 + 100)).findings().only("storage.size")
    #expect(finding.verdict == .limited)
    #expect(finding.reason.contains("the last 100 cannot be reached"))
    let large = try configured(folder.file("disk")) { $0.blockSize = 4096 }.only("storage.size")
    #expect(large.reason.contains("no multiple of 4096: the last 100"))
  }

  @Test func saysHowMuchIsAllocated() throws {
    let folder = try TestFolder()
    let sparse = ImageCheck(path: try folder.image("sparse", byteCount: 1 << 20)).findings()
    #expect(try sparse.only("storage.allocation").reason.hasPrefix("sparse: 0 bytes of 1 MiB"))
    // More than any disk has.
    let vast = try folder.image("vast", byteCount: 1 << 43)
    let finding = try ImageCheck(path: vast).findings().only("storage.allocation")
    #expect(finding.verdict == .limited)
    #expect(finding.reason.contains("guests' writes fail"))
    let full = try folder.text("full", String(repeating: "x", count: 65536))
    let descriptor = try FileDescriptor(path: full, flags: O_RDWR)
    try #require(fsync(descriptor.rawValue) == 0)
    #expect(try ImageCheck(path: full).findings().only("storage.allocation").reason == "allocated in full.")
  }

  @Test func saysWhoIsInTheWay() throws {
    let folder = try TestFolder()
    let path = try folder.image("disk", byteCount: 1 << 20)
    let options = ImageOptions(cache: .buffered)
    let writer = try DiskImage(path: path, options: options)
    for findings in [ImageCheck(path: path).findings(), configured(path), configured(path) { $0.isReadOnly = true }] {
      let finding = try findings.only("storage.lock")
      #expect(finding.verdict == .limited)
      #expect(finding.reason.contains("by another process (nvmed, QEMU or another VMM)"))
      #expect(Doctor.canRun(findings))
    }
    let shared = configured(path) { $0.lock = false }
    #expect(try shared.only("storage.lock").verdict == .ok)
    withExtendedLifetime(writer) {}
  }

  @Test func whatIsReadOnlyIsNotAskedForMore() throws {
    let folder = try TestFolder()
    let findings = configured(try folder.image("disk", byteCount: 1 << 20)) { $0.isReadOnly = true }
    #expect(try findings.only("storage.open").reason.contains("for reading only"))
    #expect(!findings.contains { $0.identifier == "storage.discard" || $0.identifier == "storage.flush" })
  }

  @Test func bufferedImagesNeedNoAlignment() throws {
    let folder = try TestFolder()
    let findings = configured(try folder.image("disk", byteCount: 1 << 20)) { $0.cache = .buffered }
    #expect(!findings.contains { $0.identifier == "storage.direct" })
    #expect(try findings.only("storage.flush").reason.hasPrefix("cache = \"buffered\""))
  }

  /// What is tried on a path alone, when the daemon's defaults do not do.
  @Test func concessionsComeToAnEnd() {
    var options = ImageOptions()
    var identifiers: [String] = []
    for reason in [
      ImageError.Reason.noPermission(readOnly: false), .noPermission(readOnly: true),
      .blockSizeTooSmall(.bytes512, required: 4096), .blockSizeTooSmall(.bytes4096, required: 8192), .noDirectIO,
      .missing,
    ] {
      guard let next = ImageCheck.concession(to: reason, options) else { continue }
      identifiers.append(next.identifier)
      options = next.options
    }
    #expect(identifiers == ["write", "block_size", "direct"])
    #expect(options.readOnly && options.logicalBlockSize == .bytes4096 && options.cache == .buffered)
  }

  @Test func aMemoryFileSystemKeepsNothing() throws {
    let folder = try TestFolder(in: "/dev/shm")
    let path = try folder.image("disk", byteCount: 1 << 20)
    guard FileSystem(of: try FileDescriptor(path: path, flags: O_RDONLY).rawValue).name == "tmpfs" else { return }
    let findings = ImageCheck(path: path).findings()
    #expect(try findings.only("storage.flush").verdict == .limited)
    // Before Linux 6.6 it has no direct I/O; then that is told, and a configuration that asks for it is refused.
    if let direct = findings.first(where: { $0.identifier == "storage.direct" }), direct.verdict != .ok {
      #expect(direct.remedy?.contains("cache = \"buffered\"") == true)
      #expect(try configured(path).only("storage.open").verdict == .missing)
    }
    #expect(try findings.only("storage.write_zeroes").verdict == .limited)
  }
}

@Suite struct FolderCheckTests {
  @Test func triesWithoutLeavingAnything() throws {
    let folder = try TestFolder()
    let findings = FolderCheck(path: folder.path).findings()
    #expect(
      findings.map(\.identifier) == [
        "storage.open", "storage.discard", "storage.write_zeroes", "storage.direct", "storage.flush",
      ])
    #expect(findings.identifiers(.missing) == [])
    #expect(folder.entries == [])
  }

  @Test func saysThatNothingCanBeMadeThere() throws {
    let finding = try FolderCheck(path: "/proc/self").findings().only("storage.open")
    #expect(finding.verdict == .missing)
    #expect(finding.remedy != nil)
  }

  @Test func knowsFolders() throws {
    let folder = try TestFolder()
    #expect(FolderCheck.isFolder(folder.path))
    #expect(!FolderCheck.isFolder(try folder.text("file", "")))
    #expect(!FolderCheck.isFolder(folder.file("none")))
  }
}
