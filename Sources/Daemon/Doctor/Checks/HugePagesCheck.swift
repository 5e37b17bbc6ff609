import CLinux
import Glibc
import LinuxIO

/// Whether guest memory can be made of huge pages and mapped here: of reserved ones (hugetlb), and of those that the
/// kernel forms by itself (THP).
struct HugePagesCheck: HostCheck {
  /// What memfds get of transparent huge pages.
  var sharedMemorySetting = "/sys/kernel/mm/transparent_hugepage/shmem_enabled"
  /// The reserved pages of the usual size.
  var reservedPages = "/proc/sys/vm/nr_hugepages"

  func findings() -> [Finding] { [reserved(HugePagesCheck.mapReserved()), transparent()] }

  private static let gain = "Guests on them miss the TLB less, and so does the daemon."

  /// Makes and maps a memfd of one reserved page, as a monitor and the daemon would.
  ///
  /// - Returns: bytes of the page.
  static func mapReserved() -> Result<Int, Errno> {
    do throws(Errno) {
      let number = unsafe clinux_memfd_create(
        "nvmed-doctor", UInt32(CLINUX_MFD_CLOEXEC | CLINUX_MFD_HUGETLB))
      guard number >= 0 else { throw Errno.current }
      let descriptor = FileDescriptor(owning: number)
      let size = Int(try descriptor.status().st_blksize)
      guard ftruncate(number, size) == 0 else { throw Errno.current }
      // Mapping reserves the page: it need not be touched to know that it is there.
      _ = try MemoryMapping(fd: number, offset: 0, count: size, [.read, .write])
      return .success(size)
    } catch { return .failure(error) }
  }

  func reserved(_ result: Result<Int, Errno>) -> Finding {
    let (identifier, title) = ("memory.hugetlb", "reserved huge pages")
    switch result {
    case .success(let size):
      return Finding(
        identifier, title, .ok,
        "a memfd of \(SizeText.text(UInt64(size))) pages can be made and mapped. \(HugePagesCheck.gain)")
    case .failure(.outOfMemory):
      let count = SystemFile.number(reservedPages)
      return Finding(
        identifier, title, .limited,
        count ?? 0 == 0
          ? "none are reserved (vm.nr_hugepages = 0): guest memory is made of other pages."
          : "\(count ?? 0) are reserved (vm.nr_hugepages), and none is free.",
        remedy: "for guests on huge pages: sysctl vm.nr_hugepages=N, N being guest memory / 2MiB, and the monitor's "
          + "option for them (QEMU: memory-backend-memfd,hugetlb=on)")
    case .failure(let error):
      return Finding(
        identifier, title, .limited, "memfd_create with MFD_HUGETLB fails: \(error).",
        remedy: "run a kernel with CONFIG_HUGETLBFS for guests on reserved huge pages")
    }
  }

  private func transparent() -> Finding {
    let (identifier, title) = ("memory.thp", "transparent huge pages")
    guard let setting = SystemFile.choice(sharedMemorySetting) else {
      return Finding(
        identifier, title, .limited, "this kernel has none for shared memory (\(sharedMemorySetting)).",
        remedy: "use reserved huge pages")
    }
    switch setting {
    case "always", "within_size", "force":
      return Finding(
        identifier, title, .ok,
        "shared guest memory gets them by itself (shmem_enabled = \(setting)). \(HugePagesCheck.gain)")
    case "advise":
      return Finding(
        identifier, title, .ok, "shared guest memory gets them where the monitor asks (shmem_enabled = advise).")
    default:
      return Finding(
        identifier, title, .limited, "shared guest memory gets none (shmem_enabled = \(setting)).",
        remedy: "echo advise > \(sharedMemorySetting), or use reserved huge pages")
    }
  }
}
