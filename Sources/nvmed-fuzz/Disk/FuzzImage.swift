import CFuzzAIO
import CLinux
import Glibc
import LinuxIO

@testable import Storage

/// The file that the disk (`FuzzAIO`) is, and images of it.
enum FuzzImage {
  /// A memfd that holds the disk's blocks.
  private static let memory: Int32 = {
    let number = clinux_memfd_create("fuzz-disk", UInt32(CLINUX_MFD_CLOEXEC))
    guard number >= 0, ftruncate(number, FuzzDisk.byteCount) == 0 else { fatalError("no disk: \(Errno.current)") }
    let mapped = mmap(nil, FuzzDisk.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0)
    guard let mapped, mapped != MAP_FAILED else { fatalError("no disk: \(Errno.current)") }
    fuzz_aio_disk(mapped, FuzzDisk.byteCount)
    isMade = true
    return number
  }()
  nonisolated(unsafe) private static var isMade = false

  /// Opens the disk anew: nothing is known of syncs that have failed.
  ///
  /// - Parameter cache: direct, so that syncs are the disk's to finish; or buffered, so that workers do them. What the
  ///   kernel does not open directly (a memfd before Linux 6.6) is buffered in any case.
  static func make(_ cache: ImageOptions.Cache) -> DiskImage {
    do {
      // Opened again, as the two ways differ by a flag of the open file.
      let path = "/proc/self/fd/\(memory)"
      let direct = cache == .direct ? try? FileDescriptor(path: path, flags: O_RDWR | Int32(CLINUX_O_DIRECT)) : nil
      let isDirect = direct != nil
      let descriptor = try direct ?? FileDescriptor(path: path, flags: O_RDWR)
      return try DiskImage(
        descriptor: descriptor, name: "fuzz-disk",
        options: ImageOptions(cache: isDirect ? .direct : .buffered, lock: false), calls: calls)
    } catch { fatalError("no disk: \(error)") }
  }

  /// Workers sync the disk that there is.
  private static let calls: StorageCalls = {
    var calls = StorageCalls.system
    calls.dataSync = { _ in
      fuzz_aio_sync()
      return nil
    }
    return calls
  }()

  /// All blocks are zero, and durable.
  static func clear() { if isMade { fuzz_aio_clear() } }

  /// What was not synced is lost.
  static func losePower() { fuzz_aio_lose_power() }
}
