import Glibc
import LinuxIO
import Synchronization
import Testing

/// The failing disk itself: that nothing but those who use it ever waits for it.
@Suite(.enabled(if: FUSEFile.isPossible, "mounting FUSE needs root")) struct FaultDiskTests {
  /// What is open in this process: the targets of `/proc/self/fd`.
  private func openFiles() throws -> [String] {
    guard let folder = opendir("/proc/self/fd") else { throw Errno.current }
    defer { closedir(folder) }
    var targets: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      var target = [CChar](repeating: 0, count: 256)
      guard readlink("/proc/self/fd/\(name)", &target, target.count - 1) > 0 else { continue }
      targets.append(String(decoding: target.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self))
    }
    return targets
  }

  /// The connection that every answer depends on is in no table that a child inherits or that ends late.
  @Test func keepsItsConnectionFromOthers() throws {
    let disk = try FaultDisk(byteCount: 1 << 20)
    let file = try disk.open()
    var block = [UInt8](repeating: 0, count: 512)
    #expect(pread(file.rawValue, &block, 0, 0) == 0)
    #expect(try openFiles().allSatisfy { !$0.hasPrefix("/dev/fuse") })
  }

  /// A child that has inherited the file, with data in its cache that the disk does not take, runs its program all the
  /// same; and who closes the last one does.
  @Test(arguments: [false, true]) func holdsUpNoChildThatInheritsIt(_ isCached: Bool) throws {
    let disk = try FaultDisk(byteCount: 1 << 20, options: FaultDisk.Options(isCached: isCached))
    let file = try disk.open()
    if !isCached { disk.inject(Fault(.read, .write, .sync, count: .max, .hold)) }
    let child = try DaemonProcess(["-c", "exit 7"], program: "/bin/sh")
    #expect(try child.awaitEnd() == .exit(7))
    disk.disconnect()
    // Of a server that is gone nobody waits for anything.
    let late = try DaemonProcess(["-c", "exit 8"], program: "/bin/sh")
    #expect(try late.awaitEnd() == .exit(8))
    _ = consume file
  }

  /// Who waits for a held request, in a way that no signal ends, is let go when the disk goes.
  @Test func letsGoOfWhoWaitsForIt() throws {
    let disk = try FaultDisk(byteCount: 1 << 20)
    let file = try disk.open()
    disk.inject(Fault(.sync, count: 1, .hold))
    let number = file.rawValue
    let result = Mutex<Int32?>(nil)
    let thread = try Thread(name: "sync") {
      let error = fdatasync(number) == 0 ? 0 : errno
      result.withLock { $0 = error }
    }
    try disk.awaitHeld(1)
    #expect(result.withLock { $0 } == nil)
    disk.disconnect()
    thread.join()
    #expect(result.withLock { $0 } == ECONNABORTED)
    #expect(fdatasync(number) == -1)
  }

  /// A process that is killed with its disk, and all that waits for it, ends.
  @Test func endsWithItsProcess() throws {
    // The daemon that a killed test leaves: its requests are held, and only the end of the test lets it go.
    let disk = try FaultDisk(byteCount: 1 << 20)
    let file = try disk.open()
    disk.inject(Fault(.read, .write, .sync, count: .max, .hold))
    let child = try DaemonProcess(
      ["-c", "exec dd if=/proc/self/fd/9 of=/dev/null bs=4096 count=1 iflag=direct"], program: "/bin/sh",
      handover: [(descriptor: file.rawValue, number: 9)])
    _ = consume file
    try disk.awaitHeld(1)
    Glibc.kill(child.pid, SIGKILL)
    disk.disconnect()
    #expect(try child.awaitEnd() == .signal(SIGKILL))
  }
}
