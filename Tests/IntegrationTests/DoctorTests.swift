import Glibc
import LinuxIO
import NVMeHost
import Testing

/// `nvmed doctor`, as people and programs run it.
@Suite struct DoctorTests {
  @Test func saysThatAnImageWillDo() throws {
    let folder = try TestFolder()
    let image = try folder.image("disk", byteCount: 1 << 20)
    let (end, text) = try runToEnd(["doctor", image.path, folder.path])
    #expect(end == .exit(0), "it says: \(text)")
    #expect(text.hasPrefix("This host\n  "))
    #expect(text.contains("\n\(image.path)\n  ok       image: file on "), "it says: \(text)")
    #expect(text.contains("\n\(folder.path)\n  ok       folder: files can be made: "), "it says: \(text)")
    #expect(text.contains("\n  ok       asynchronous I/O: "), "it says: \(text)")
    #expect(text.contains("\nnvmed can run here: "), "it says: \(text)")
    // Only a path may be wider than a terminal.
    for line in text.split(separator: "\n") where !line.hasPrefix("/") { #expect(line.count <= 80, "\(line)") }
    #expect(try image.allocatedByteCount() == 0)
  }

  @Test func failsWhereSomethingIsMissing() throws {
    let folder = try TestFolder()
    let path = folder.file("none")
    let (end, text) = try runToEnd(["doctor", path])
    #expect(end == .exit(1))
    #expect(text.contains("\n\(path)\n  missing  image: no such file.\n           -> create it "), "it says: \(text)")
    let configuration = try folder.text(
      "nvmed.toml",
      """
      [[controller]]
      name = "a"
      socket = "a.sock"
      [[controller.namespace]]
      image = "none"
      """)
    let named = try runToEnd(["doctor", "--config", configuration])
    #expect(named.end == .exit(1))
    #expect(named.text.contains("\n\(path)\n  missing  image: no such file."), "it says: \(named.text)")
    #expect(
      named.text.contains("\n\(folder.file("a.sock"))\n  ok       socket: can be made."), "it says: \(named.text)")
    #expect(try runToEnd(["doctor", "--nonsense"]).end == .exit(64))
  }

  @Test func writesJSON() throws {
    let folder = try TestFolder()
    let path = folder.file("none")
    let (end, text) = try runToEnd(["doctor", "--json", path])
    #expect(end == .exit(1))
    let lines = text.split(separator: "\n")
    #expect(lines.first == "[" && lines.last == "]")
    let objects = lines.dropFirst().dropLast()
    let names = ["\"id\": ", ", \"subject\": ", ", \"title\": ", ", \"verdict\": ", ", \"reason\": ", ", \"remedy\": "]
    for object in objects {
      for name in names { #expect(object.contains(name), "\(object)") }
    }
    #expect(objects.last?.hasPrefix("  {\"id\": \"storage.open\", \"subject\": \"\(path)\", ") == true, "\(text)")
    #expect(objects.last?.contains("\"verdict\": \"missing\"") == true, "\(text)")
    #expect(objects.dropLast().allSatisfy { $0.hasSuffix("},") })
  }

  /// A daemon that serves goes on, with its client or without one.
  @Test func doesNotDisturbADaemon() throws {
    let served = try ServedController()
    let configuration = try served.folder.text(
      "nvmed.toml",
      """
      [[controller]]
      name = "a"
      socket = "socket"
      [[controller.namespace]]
      image = "disk0"
      """)
    func look() throws {
      let (end, text) = try runToEnd(["doctor", "--config", configuration])
      #expect(end == .exit(0), "it says: \(text)")
      #expect(text.contains("limited  socket: a process listens there"), "it says: \(text)")
      #expect(text.contains("limited  lock: is in use by another process"), "it says: \(text)")
    }
    try look()
    let host = try served.host()
    try look()
    var queue = try host.createQueue(1, depth: 16)
    let data = try host.memory.allocate(4096)
    try queue.writePattern(data, slba: 0, version: 1, blockByteCount: 512)
    try queue.readPattern(data, slba: 0, version: 1, blockByteCount: 512)
    host.disconnect()
    try served.daemon.terminate()
  }
}
