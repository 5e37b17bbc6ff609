import Glibc
import LinuxIO

/// What the daemon tells the service manager that started it (`sd_notify(3)`), where one did. Any thread.
public final class ServiceManager: Sendable {
  private let socket: UnixDatagram?
  /// ns after which the manager takes a daemon for hung that sends no `watchdog()`; nil where it does not watch.
  public let watchdogLimit: UInt64?

  /// Finds the manager by the environment, and takes what it says out of it, as it is not for others.
  ///
  /// - Throws: a sentence on a socket that is named and cannot be reached.
  public static func find() throws(DaemonError) -> ServiceManager {
    let names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]
    let manager = try ServiceManager(environment: ProcessEnvironment.value)
    for name in names { ProcessEnvironment.remove(name) }
    return manager
  }

  /// As `find`, by any environment.
  convenience init(environment: (String) -> String?, process: pid_t = getpid()) throws(DaemonError) {
    guard let path = environment("NOTIFY_SOCKET"), !path.isEmpty else {
      self.init(socket: nil, watchdogLimit: nil)
      return
    }
    let socket: UnixDatagram
    do throws(Errno) { socket = try UnixDatagram(path: path) } catch {
      throw DaemonError(
        "NOTIFY_SOCKET=\(printable(path, limit: 120)): the service manager cannot be reached: \(error); "
          + "unset the variable where none started nvmed")
    }
    let watched = environment("WATCHDOG_PID").flatMap { pid_t($0) } ?? process
    let limit = environment("WATCHDOG_USEC").flatMap { UInt64($0) } ?? 0
    let (nanoseconds, overflow) = limit.multipliedReportingOverflow(by: 1000)
    self.init(socket: socket, watchdogLimit: watched == process && limit > 0 && !overflow ? nanoseconds : nil)
  }

  private init(socket: consuming UnixDatagram?, watchdogLimit: UInt64?) {
    self.socket = socket
    self.watchdogLimit = watchdogLimit
  }

  /// Whether a manager started the daemon, and wants to be told.
  public var isPresent: Bool { socket != nil }

  /// The daemon serves.
  public func ready(_ status: String) { send("READY=1", "STATUS=\(line(status))") }

  /// The daemon reads its configuration again; `ready` follows.
  public func reloading() { send("RELOADING=1", "MONOTONIC_USEC=\(Clock.monotonic / 1000)") }

  /// The daemon ends.
  public func stopping(_ status: String) { send("STOPPING=1", "STATUS=\(line(status))") }

  /// The daemon is alive.
  public func watchdog() { send("WATCHDOG=1") }

  /// What is being done takes longer: so many ns more from now on.
  public func extend(_ nanoseconds: UInt64) { send("EXTEND_TIMEOUT_USEC=\(nanoseconds / 1000)", "WATCHDOG=1") }

  /// Nobody can be told that it did not work; the manager finds out by its time-outs.
  private func send(_ lines: String...) {
    do throws(Errno) { try socket?.send(lines.joined(separator: "\n")) } catch {}
  }

  private func line(_ text: String) -> String { text.split(separator: "\n").joined(separator: " ") }
}
