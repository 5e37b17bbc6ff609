import Glibc
import LinuxIO

/// What a process has used so far (`proc(5)`). Any thread.
public struct ProcessUsage: Equatable, Sendable {
  /// CPU time of all threads, those that have ended among them, in ns.
  public let cpuTime: UInt64
  /// How often threads that are there gave their CPU up.
  public let voluntarySwitches: UInt64
  /// How often it was taken from them.
  public let involuntarySwitches: UInt64
  /// Whether each thread waited for something: a thread that only has no CPU has its work still to do.
  public let isAsleep: Bool

  /// How often a thread left its CPU: it was woken as often, once less perhaps.
  public var switches: UInt64 { voluntarySwitches + involuntarySwitches }

  /// Asks the kernel.
  ///
  /// - Throws: `ENOENT` or `ESRCH` without such a process.
  public init(process: pid_t) throws(Errno) {
    var clock: clockid_t = 0
    let result = unsafe clock_getcpuclockid(process, &clock)
    guard result == 0 else { throw Errno(rawValue: result) }
    var time = timespec()
    guard unsafe clock_gettime(clock, &time) == 0 else { throw Errno.current }
    var (voluntary, involuntary): (UInt64, UInt64) = (0, 0)
    var isAsleep = true
    for task in try ProcessFile.entries(of: "/proc/\(process)/task") {
      // One that ends meanwhile is no error.
      guard let status = ProcessFile.textIfThere("/proc/\(process)/task/\(task)/status") else { continue }
      let fields = ProcessFile.fields(status)
      voluntary += fields["voluntary_ctxt_switches"] ?? 0
      involuntary += fields["nonvoluntary_ctxt_switches"] ?? 0
      isAsleep = isAsleep && status.contains("\nState:\tS")
    }
    cpuTime = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    voluntarySwitches = voluntary
    involuntarySwitches = involuntary
    self.isAsleep = isAsleep
  }
}

/// What a process holds (`proc(5)`). Any thread.
public struct ProcessFootprint: Equatable, Sendable {
  /// Memory that is mapped and there, in bytes: what it shares with others is counted in full.
  public let residentBytes: UInt64
  /// The same, but of what it shares only its part.
  public let proportionalBytes: UInt64
  /// Memory that nobody else has: heap, stacks, its own copies of pages; in bytes.
  public let anonymousBytes: UInt64
  /// Threads.
  public let threads: Int
  /// Open file descriptors.
  public let descriptors: Int
  /// Mappings of memory.
  public let mappings: Int
  /// Contexts of asynchronous I/O (`io_setup(2)`).
  public let aioContexts: Int

  /// Asks the kernel.
  ///
  /// - Throws: `ENOENT` without such a process, `EACCES` where it is another user's.
  public init(process: pid_t) throws(Errno) {
    let fields = ProcessFile.fields(try ProcessFile.text("/proc/\(process)/smaps_rollup"))
    residentBytes = (fields["Rss"] ?? 0) * 1024
    proportionalBytes = (fields["Pss"] ?? 0) * 1024
    anonymousBytes = (fields["Anonymous"] ?? 0) * 1024
    threads = try ProcessFile.entries(of: "/proc/\(process)/task").count
    descriptors = try ProcessFile.entries(of: "/proc/\(process)/fd").count
    let lines = try ProcessFile.text("/proc/\(process)/maps").split(separator: "\n")
    mappings = lines.count
    aioContexts = lines.count { $0.hasSuffix("/[aio] (deleted)") }
  }
}

/// Reads `/proc`.
enum ProcessFile {
  /// The whole file.
  static func text(_ path: String) throws(Errno) -> String {
    let file = try FileDescriptor(path: path, flags: O_RDONLY)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe read(file.rawValue, &buffer, buffer.count)
      guard count >= 0 else { throw Errno.current }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }

  static func textIfThere(_ path: String) -> String? {
    do throws(Errno) { return try text(path) } catch { return nil }
  }

  /// The numbers of lines such as `Rss:   1234 kB`; of repeated names the first.
  static func fields(_ text: String) -> [String: UInt64] {
    var fields: [String: UInt64] = [:]
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let words = line[line.index(after: colon)...].split { $0 == " " || $0 == "\t" }
      guard let number = words.first.flatMap({ UInt64($0) }) else { continue }
      let name = String(line[..<colon])
      if fields[name] == nil { fields[name] = number }
    }
    return fields
  }

  /// The names in a folder, but `.` and `..`.
  static func entries(of path: String) throws(Errno) -> [String] {
    guard let folder = unsafe opendir(path) else { throw Errno.current }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
