import Glibc
import LinuxIO

/// What the kernel says of another process (`proc(5)`).
struct ProcessStatistics: Equatable, CustomStringConvertible {
  var descriptors: Int
  var threads: Int
  var mappings: Int
  /// Contexts of asynchronous I/O (`io_setup(2)`), each of which is a mapping.
  var aioContexts: Int
  /// Memory that is there and nobody else's, in KiB: no pages of files, be they programs or guests' memory.
  var anonymous: Int

  init(_ process: DaemonProcess) throws {
    descriptors = try entries(of: "/proc/\(process.pid)/fd").count
    threads = try entries(of: "/proc/\(process.pid)/task").count
    let maps = try text(of: "/proc/\(process.pid)/maps").split(separator: "\n")
    mappings = maps.count
    aioContexts = maps.count { $0.contains("/[aio]") }
    let line = try text(of: "/proc/\(process.pid)/status").split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
    guard let count = line.flatMap({ Int($0.filter(\.isNumber)) }) else { throw TestFailure("no RssAnon") }
    anonymous = count
  }

  /// Arenas of glibc's allocator beside the first: each ends at a multiple of 64 MiB, and what of it is not used yet
  /// cannot be accessed.
  static func arenas(of process: DaemonProcess) throws -> Int {
    try text(of: "/proc/\(process.pid)/maps").split(separator: "\n").count { line in
      let fields = line.split(separator: " ")
      let bounds = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      return fields[1] == "---p" && bounds.count == 2 && bounds[1] % (64 << 20) == 0 && bounds[1] - bounds[0] >= 1 << 20
    }
  }

  var description: String {
    "\(descriptors) descriptors, \(threads) threads, \(mappings) mappings, \(aioContexts) aio contexts, \(anonymous) KiB"
  }
}

/// What a thread of another process has done so far (`proc(5)`).
struct ThreadActivity: Equatable {
  let name: String
  /// Whether it waits for something: it neither runs nor is there anything that it would run for.
  let isAsleep: Bool
  /// ns that it ran: without any more of them it made no system call either.
  let runTime: UInt64
  /// How often it gave its CPU up.
  let voluntarySwitches: Int
  /// How often its CPU was taken from it.
  let involuntarySwitches: Int

  /// All threads of a process, by their number.
  static func all(of process: DaemonProcess) throws -> [String: ThreadActivity] {
    var result: [String: ThreadActivity] = [:]
    for task in try entries(of: "/proc/\(process.pid)/task") {
      let folder = "/proc/\(process.pid)/task/\(task)"
      var fields: [Substring: Substring] = [:]
      for line in try text(of: "\(folder)/status").split(separator: "\n") {
        guard let colon = line.firstIndex(of: ":") else { continue }
        fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == "\t" }
      }
      guard let name = fields["Name"], let state = fields["State"],
        let voluntary = fields["voluntary_ctxt_switches"].flatMap({ Int($0) }),
        let involuntary = fields["nonvoluntary_ctxt_switches"].flatMap({ Int($0) }),
        let runTime = try text(of: "\(folder)/schedstat").split(separator: " ").first.flatMap({ UInt64($0) })
      else { throw TestFailure("\(folder) cannot be read") }
      result[task] = ThreadActivity(
        name: String(name), isAsleep: state.hasPrefix("S"), runTime: runTime, voluntarySwitches: voluntary,
        involuntarySwitches: involuntary)
    }
    return result
  }
}

private func entries(of path: String) throws -> [String] {
  guard let folder = opendir(path) else { throw Errno.current }
  defer { closedir(folder) }
  var names: [String] = []
  while let entry = readdir(folder) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if name != ".", name != ".." { names.append(name) }
  }
  return names
}

private func text(of path: String) throws -> String {
  let file = try FileDescriptor(path: path, flags: O_RDONLY)
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = read(file.rawValue, &buffer, buffer.count)
    guard count >= 0 else { throw Errno.current }
    if count == 0 { return String(decoding: bytes, as: UTF8.self) }
    bytes += buffer[..<count]
  }
}
