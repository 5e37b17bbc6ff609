import Glibc
import LinuxIO

/// What the kernel says of another process (`proc(5)`).
struct ProcessStatistics: Equatable, CustomStringConvertible {
  var descriptors: Int
  var threads: Int
  var mappings: Int

  init(_ process: DaemonProcess) throws {
    descriptors = try entries(of: "/proc/\(process.pid)/fd").count
    threads = try entries(of: "/proc/\(process.pid)/task").count
    mappings = try text(of: "/proc/\(process.pid)/maps").split(separator: "\n").count
  }

  var description: String { "\(descriptors) descriptors, \(threads) threads, \(mappings) mappings" }

  /// How often each thread gave its CPU up, by its number: every system call that waits is one.
  static func voluntarySwitches(_ process: DaemonProcess) throws -> [String: Int] {
    var counts: [String: Int] = [:]
    for task in try entries(of: "/proc/\(process.pid)/task") {
      let status = try text(of: "/proc/\(process.pid)/task/\(task)/status")
      for line in status.split(separator: "\n") where line.hasPrefix("voluntary_ctxt_switches:") {
        counts[task] = Int(line.split(separator: "\t").last ?? "")
      }
    }
    return counts
  }

  /// CPU time of all threads so far, in ticks.
  static func ticks(_ process: DaemonProcess) throws -> Int {
    // The name in parentheses may contain spaces; utime and stime are the 12th and 13th field after it.
    let fields = try text(of: "/proc/\(process.pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
      throw TestFailure("/proc/\(process.pid)/stat cannot be read")
    }
    return user + system
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
