import CLinux
import Glibc
import LinuxIO

/// Takes from the process what it does not need after start-up, for good.
///
/// A guest or client that gains control of the daemon then has its open images and sockets, and neither the host's files
/// nor programs, network, other processes, or the kernel's rarely used parts.
public struct Sandbox: Equatable, Sendable {
  /// How much of it there is.
  public enum Mode: String, CaseIterable, Sendable {
    /// All that the kernel has.
    case on
    /// System calls that are not allowed are done, and logged by the kernel; files are not limited.
    case log
    /// Nothing.
    case off
  }

  /// How much of it.
  public var mode: Mode
  /// Capabilities that a configured mode needs later.
  public var capabilities: Set<Capability> = []
  /// Whether eBPF programs are attached later. Landlock is left out then: it hides the processes of monitors, whose
  /// files are looked at.
  public var tracing = false
  /// Whether sockets of TCP are opened later.
  public var network = false
  /// Images and folders of images that may be opened later, for reading and writing.
  public var images: [String] = []
  /// Folders in which sockets may be made and removed later.
  public var socketFolders: [String] = []
  /// Files and folders that may be read later.
  public var readable: [String] = []

  /// A sandbox without any need.
  public init(mode: Mode = .on) { self.mode = mode }

  /// What came of it.
  public struct Report: Equatable, Sendable, CustomStringConvertible {
    /// Whether system calls are filtered.
    public var filtersSystemCalls = false
    /// The version of Landlock that limits files; nil where nothing does.
    public var landlock: Int32?

    /// For a line of the log.
    public var description: String {
      let calls = filtersSystemCalls ? "system calls are filtered" : "this kernel cannot filter system calls (seccomp)"
      let files = landlock.map { "files are limited (Landlock \($0))" } ?? "files are not limited by Landlock"
      return "\(calls), \(files)"
    }
  }

  /// Enters it. Before other threads are started: capabilities and Landlock are the calling thread's, and those have them
  /// that it starts from then on.
  ///
  /// - Throws: a sentence on what could not be given up, or on a folder that is not there.
  public func enter() throws(SandboxError) -> Report {
    var report = Report()
    guard mode != .off else { return report }
    do throws(Errno) {
      try Capabilities.limit(to: capabilities)
      try succeed(clinux_no_new_privileges())
    } catch { throw failure("capabilities cannot be given up", error) }
    if mode == .on, !tracing, let version = Landlock.version { report.landlock = try limitFiles(version) }
    if SystemCallFilter.isAvailable {
      let needs = SystemCalls.Needs(tracing: tracing, network: network)
      do throws(Errno) {
        try SystemCallFilter.install(SystemCalls.refusedQuietly, refusal: .allow, isLogged: false)
        try SystemCallFilter.install(
          SystemCalls.rules(needs, process: getpid()), refusal: mode == .log ? .log : .fail(EPERM))
      } catch { throw failure("system calls cannot be filtered", error) }
      report.filtersSystemCalls = true
    }
    return report
  }

  private func limitFiles(_ version: Int32) throws(SandboxError) -> Int32 {
    let landlock: Landlock
    do throws(Errno) { landlock = try Landlock(version: version, limitsNetwork: !network) } catch {
      throw failure("Landlock has no ruleset", error)
    }
    for path in images { try allow(path, [.read, .write, .readFolder, .ioctl], landlock) }
    for path in socketFolders { try allow(path, [.makeSocket, .removeFile, .readFolder, .read], landlock) }
    for path in readable { try allow(path, [.read, .readFolder], landlock) }
    do throws(Errno) { try landlock.restrict() } catch { throw failure("files cannot be limited (Landlock)", error) }
    return version
  }

  private func allow(_ path: String, _ access: Landlock.Access, _ landlock: Landlock) throws(SandboxError) {
    do throws(Errno) { try landlock.allow(path, access) } catch .noSuchFile {
      throw SandboxError("\(path): there is no such file or folder; create it, or take it out of the configuration")
    } catch { throw failure("\(path) cannot be allowed", error) }
  }

  private func failure(_ what: String, _ error: Errno) -> SandboxError {
    SandboxError("the sandbox cannot be entered: \(what): \(error); write sandbox = \"off\" to go without")
  }

  /// The version of this kernel's Landlock; nil where it has none, or it is not enabled.
  public static var landlockVersion: Int32? { Landlock.version }

  /// Whether this kernel filters system calls.
  public static var canFilterSystemCalls: Bool { SystemCallFilter.isAvailable }
}
