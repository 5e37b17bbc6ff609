import Glibc
import LinuxIO

/// Whether memory can be shared in such a way that the other side cannot take it away (`memfd_create(2)`, seals).
struct SealsCheck: HostCheck {
  func findings() -> [Finding] {
    let (identifier, title) = ("memory.seals", "sealed memory")
    do throws(Errno) {
      let memory = try SharedMemory(name: "nvmed-doctor", count: 8192)
      guard ftruncate(memory.descriptor.rawValue, 4096) == -1 else {
        return [
          Finding(
            identifier, title, .limited,
            "a sealed memfd was shrunk all the same. The guard against SIGBUS contains it: the controller whose "
              + "memory goes away fails, the others go on.", remedy: "run a kernel whose memfds keep their seals")
        ]
      }
      return [
        Finding(
          identifier, title, .ok,
          "seals hold: a monitor cannot shrink what nvmed shares with it. Guest memory that the monitor itself did not "
            + "seal is watched (SIGBUS): if it goes away, only its controller fails.")
      ]
    } catch {
      return [
        Finding(
          identifier, title, .missing, "memfd_create with seals fails: \(error). Doorbell pages are made of it.",
          remedy: "run a kernel with CONFIG_MEMFD_CREATE; allow memfd_create where a seccomp filter is set")
      ]
    }
  }
}
