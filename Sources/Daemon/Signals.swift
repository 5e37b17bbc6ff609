import CLinux
import Glibc
import LinuxIO

/// The signals that the daemon obeys, SIGTERM, SIGINT and SIGHUP, as a descriptor to wait for (`signalfd(2)`); others that
/// would end it are ignored.
///
/// Made on the main thread before any other is started, so that all of them inherit the mask.
struct Signals: ~Copyable {
  /// What a signal asks for.
  enum Request: Equatable {
    /// The end; with the signal's number.
    case end(Int32)
    /// To read the configuration again.
    case reload
  }

  private let descriptor: FileDescriptor

  init() throws(Errno) {
    // A client that is gone is seen by EPIPE. The others would end the process and take the disks of all guests along,
    // when somebody asks a service to reopen its log.
    for number in [SIGPIPE, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
    // Who starts it may have had it ignored (nohup), in which case it would not be queued.
    signal(SIGHUP, SIG_DFL)
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    let number = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
    guard number >= 0 else { throw Errno.current }
    descriptor = FileDescriptor(owning: number)
  }

  /// The descriptor to watch for reading.
  var rawValue: Int32 { descriptor.rawValue }

  /// What the signal that arrived asks for, or nil.
  func take() -> Request? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard unsafe read(descriptor.rawValue, &info, size) == size else { return nil }
    let number = Int32(truncatingIfNeeded: info.ssi_signo)
    return number == SIGHUP ? .reload : .end(number)
  }
}
