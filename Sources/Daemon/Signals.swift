import CLinux
import Glibc
import LinuxIO

/// The signals that end the daemon, SIGTERM and SIGINT, as a descriptor to wait for (`signalfd(2)`); others that would
/// end it are ignored.
///
/// Made on the main thread before any other is started, so that all of them inherit the mask.
struct Signals: ~Copyable {
  private let descriptor: FileDescriptor

  init() throws(Errno) {
    // A client that is gone is seen by EPIPE. The others would end the process and take the disks of all guests along,
    // when a terminal closes or somebody asks a service to read its configuration or to reopen its log.
    for number in [SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in [SIGTERM, SIGINT] { unsafe sigaddset(&set, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    let number = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
    guard number >= 0 else { throw Errno.current }
    descriptor = FileDescriptor(owning: number)
  }

  /// The descriptor to watch for reading.
  var rawValue: Int32 { descriptor.rawValue }

  /// The signal that arrived, or nil.
  func take() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard unsafe read(descriptor.rawValue, &info, size) == size else { return nil }
    return Int32(truncatingIfNeeded: info.ssi_signo)
  }
}
