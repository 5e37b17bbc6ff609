import CLinux
import Glibc
import LinuxIO

/// A terminal that shows whole screens and gives single keys, until its end: then it is as it was.
///
/// Signals that would end or stop the process arrive as keys, so that nothing leaves the terminal as it is here.
public struct TerminalScreen: ~Copyable {
  /// What happened.
  public enum Input: Equatable, Sendable {
    /// The time is over.
    case nothing
    /// A key.
    case key(Character)
    /// The terminal has another size, or was used by somebody else meanwhile.
    case redraw
    /// The process is to end, or the terminal is gone.
    case end
  }

  private static let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

  private let input: Int32
  private let output: Int32
  private let signals: FileDescriptor
  private let before: termios
  private let beforeMask: sigset_t

  /// Takes the terminal behind two descriptors.
  ///
  /// - Throws: `ENOTTY` where one of them is no terminal.
  public init(input: Int32 = STDIN_FILENO, output: Int32 = STDOUT_FILENO) throws(Errno) {
    guard isatty(input) == 1, isatty(output) == 1 else { throw .notATerminal }
    var settings = termios()
    guard unsafe tcgetattr(input, &settings) == 0 else { throw .current }
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in TerminalScreen.endings + [SIGWINCH, SIGTSTP] { unsafe sigaddset(&set, number) }
    var former = sigset_t()
    unsafe sigprocmask(SIG_BLOCK, &set, &former)
    let number = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
    guard number >= 0 else {
      let error = Errno.current
      unsafe sigprocmask(SIG_SETMASK, &former, nil)
      throw error
    }
    self.input = input
    self.output = output
    signals = FileDescriptor(owning: number)
    before = settings
    beforeMask = former
    enter()
  }

  deinit {
    leave()
    var mask = beforeMask
    unsafe sigprocmask(SIG_SETMASK, &mask, nil)
  }

  /// Columns and lines; 80 and 24 where the terminal does not say.
  public var size: (columns: Int, lines: Int) {
    var size = winsize()
    guard unsafe ioctl(output, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Shows lines in place of what is there. No more of them than the terminal has are shown.
  public borrowing func show(_ lines: [String]) {
    let (columns, height) = size
    // One write, and each line is padded over what was there: nothing flickers, and nothing erases the last column, where
    // the cursor stays. No newline after the last line: it would scroll.
    let visible = lines.prefix(height).map { Terminal.padded(Terminal.start(of: $0, columns: columns), columns) }
    write("\u{1b}[H" + visible.joined(separator: "\r\n") + (visible.count < height ? "\r\n\u{1b}[J" : ""))
  }

  /// Waits for a key, a signal, or the time.
  ///
  /// - Parameter milliseconds: how long.
  public borrowing func wait(milliseconds: Int32) -> Input {
    var entries = [
      pollfd(fd: input, events: Int16(POLLIN), revents: 0),
      pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0),
    ]
    guard unsafe poll(&entries, 2, milliseconds) > 0 else { return .nothing }
    if entries[1].revents != 0 {
      var information = signalfd_siginfo()
      let size = MemoryLayout<signalfd_siginfo>.size
      guard unsafe read(signals.rawValue, &information, size) == size else { return .nothing }
      let number = Int32(truncatingIfNeeded: information.ssi_signo)
      if number == SIGTSTP { stop() }
      return TerminalScreen.endings.contains(number) ? .end : .redraw
    }
    var byte: UInt8 = 0
    switch unsafe read(input, &byte, 1) {
    case 1: return byte == 4 ? .end : .key(Character(Unicode.Scalar(byte)))
    case -1 where Errno.current == .interrupted || Errno.current == .wouldBlock: return .nothing
    default: return .end
    }
  }

  /// The terminal for somebody else, until the process is continued.
  private borrowing func stop() {
    leave()
    raise(SIGSTOP)
    enter()
  }

  private borrowing func enter() {
    var settings = before
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
    unsafe tcsetattr(input, TCSANOW, &settings)
    // The other screen, without a cursor and without lines that go on in the next.
    write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l\u{1b}[2J")
  }

  private borrowing func leave() {
    write("\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l")
    var settings = before
    unsafe tcsetattr(input, TCSANOW, &settings)
  }

  private borrowing func write(_ text: String) {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes[sent...].withUnsafeBytes { unsafe Glibc.write(output, $0.baseAddress, $0.count) }
      guard count > 0 || count < 0 && Errno.current == .interrupted else { return }
      sent += max(count, 0)
    }
  }
}
