import DeviceServer
import Glibc
import LinuxIO

/// Whether an I/O thread gets its context of asynchronous I/O, whether a read goes through it, and how many threads the
/// system's budget is enough for.
struct AIOCheck: HostCheck {
  /// The I/O threads that are wanted.
  var ioThreads = 1
  /// What each asks the kernel for.
  var requests = IOThreadPool.Options().requests
  /// Where `aio-nr` and `aio-max-nr` are.
  var limitsFolder = "/proc/sys/fs"

  func findings() -> [Finding] {
    // The budget first: what is tried counts against it.
    let budget = budget()
    return transfer() + [budget]
  }

  // MARK: By doing

  private func transfer() -> [Finding] {
    let title = "asynchronous I/O"
    do {
      let signal = try EventFD()
      var context = try AIOContext(capacity: requests, eventfd: signal.rawValue)
      let setup =
        context.capacity == requests
        ? Finding("aio.setup", title, .ok, "io_setup gives a context for \(requests) commands in flight.")
        : Finding(
          "aio.setup", title, .limited,
          "io_setup gives a context for \(context.capacity) commands in flight only, not \(requests).",
          remedy: "sysctl fs.aio-max-nr=\(suggestedLimit(SystemFile.number("\(limitsFolder)/aio-nr") ?? 0))")
      guard try AIOCheck.reads(&context) else {
        return [
          setup,
          Finding(
            "aio.completions", "completions", .missing,
            "a read of memory was submitted, and its completion did not come.",
            remedy: "allow io_submit and io_getevents where a seccomp filter is set; look into dmesg"),
        ]
      }
      return [setup, completions(readsRing: context.readsRing)]
    } catch let error as AIOSetupError {
      return [Finding("aio.setup", title, .missing, "\(error).", remedy: remedy(error))]
    } catch {
      return [Finding("aio.setup", title, .missing, "cannot be tried: \(error).", remedy: nil)]
    }
  }

  /// Reads a page of a memfd; whether what it holds arrived.
  private static func reads(_ context: inout AIOContext) throws(Errno) -> Bool {
    let source = try SharedMemory(name: "nvmed-doctor", count: 4096)
    unsafe source.mapping.base.storeBytes(of: 0x6E76_6D65_6420_6F6B, as: UInt64.self)
    let target = try MemoryMapping(anonymous: 4096)
    let vectors = try MemoryMapping(anonymous: 4096)
    let vector = unsafe vectors.base.assumingMemoryBound(to: iovec.self)
    unsafe vector.initialize(to: iovec(iov_base: target.base, iov_len: 4096))
    unsafe context.prepareRead(
      slot: 0, fd: source.descriptor.rawValue, iovecs: vector, count: 1, offset: 0, cookie: 7)
    guard context.submit() == 0, context.inFlight == 1 else { return false }
    // Buffered: it has finished inside of the call.
    guard let completion = context.nextCompletion() else { return false }
    let arrived = unsafe target.base.load(as: UInt64.self)
    return completion.cookie == 7 && completion.result == 4096 && arrived == 0x6E76_6D65_6420_6F6B
  }

  func completions(readsRing: Bool) -> Finding {
    readsRing
      ? Finding(
        "aio.completions", "completions", .ok, "are read from the ring that the kernel maps, without a system call.")
      : Finding(
        "aio.completions", "completions", .limited,
        "come by io_getevents: this kernel's ring has another layout than the known one. Costs a system call per batch.",
        remedy: "report it with the version of the kernel")
  }

  private func remedy(_ error: AIOSetupError) -> String? {
    switch error.error {
    case .wouldBlock: "sysctl fs.aio-max-nr=\(suggestedLimit(UInt64(max(error.inUse ?? 0, 0))))"
    case Errno(rawValue: ENOSYS): "run a kernel with CONFIG_AIO; allow io_* where a seccomp filter is set"
    default: nil
    }
  }

  // MARK: The budget

  private func budget() -> Finding {
    let (identifier, title) = ("aio.budget", "aio budget")
    guard let used = SystemFile.number("\(limitsFolder)/aio-nr"),
      let limit = SystemFile.number("\(limitsFolder)/aio-max-nr")
    else {
      return Finding(
        identifier, title, .limited, "\(limitsFolder) does not tell it.", remedy: "mount /proc where nvmed runs")
    }
    let free = limit > used ? limit - used : 0
    let fits = free / UInt64(max(requests, 1))
    let state =
      "\(used) of fs.aio-max-nr = \(limit) are taken; an I/O thread takes \(requests), which serves any number of "
      + "controllers. Threads that fit: \(fits); wanted: \(ioThreads)."
    guard fits < UInt64(max(ioThreads, 0)) else { return Finding(identifier, title, .ok, state) }
    return Finding(
      identifier, title, .limited,
      state + " A daemon that runs already is among what is taken; one that starts makes do with fewer commands in "
        + "flight, 64 for each thread at least.",
      remedy: "sysctl fs.aio-max-nr=\(suggestedLimit(used)); write it into /etc/sysctl.d to keep it")
  }

  /// A power of two with room for all threads twice.
  private func suggestedLimit(_ used: UInt64) -> UInt64 {
    let wanted = 2 * UInt64(max(ioThreads, 1)) * UInt64(max(requests, 1))
    var limit: UInt64 = 1 << 17
    while limit < 1 << 40, limit < used || limit - used < wanted { limit *= 2 }
    return limit
  }
}
