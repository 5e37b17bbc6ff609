import Glibc
import LinuxIO
import NVMeHost
import Testing

/// What a scraper gets from the daemon.
@Suite struct MetricsTests {
  /// The samples of a scrape, by name with labels.
  private func scrape(_ path: String) throws -> [String: Double] {
    let socket = try UnixSocket.connect(path: path)
    let request = Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
    _ = try UnixSocket.send(socket.rawValue, request.span, wait: true)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(socket.rawValue, &chunk, chunk.count)
      if count <= 0 { break }
      bytes += chunk.prefix(count)
    }
    let text = String(decoding: bytes, as: UTF8.self)
    try #require(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
    var samples: [String: Double] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("nvmed_") {
      guard let space = line.lastIndex(of: " ") else { continue }
      samples[String(line[..<space])] = Double(line[line.index(after: space)...])
    }
    return samples
  }

  @Test func tellsWhatWasDone() throws {
    let folder = try TestFolder()
    _ = try folder.image("0.img", byteCount: 1 << 20)
    let path = folder.file("metrics.sock")
    let configuration = """
      [metrics]
      listen = "unix:\(path)"
      [[controller]]
      name = "disk0"
      socket = "0.sock"
      [[controller.namespace]]
      image = "0.img"
      """
    let daemon = try DaemonProcess(["serve", "--config", try folder.text("nvmed.toml", configuration)])
    try daemon.awaitReady()
    try daemon.awaitLog("metrics on unix:\(path)")
    let before = try scrape(path)
    #expect(before["nvmed_controller_state{controller=\"disk0\",state=\"waiting\"}"] == 1)
    #expect(before["nvmed_commands_total{controller=\"disk0\",kind=\"read\"}"] == 0)
    #expect(before["nvmed_io_thread_aio_capacity{thread=\"nvmed-io0\"}"] == 1024)
    let host = try HostController(
      path: folder.file("0.sock"), memory: try HostMemory(byteCount: 2 << 20),
      options: HostOptions(doorbells: .slots, vectors: 2))
    try host.initialize(queues: 1)
    var load = try VerifiedLoad(
      try host.createQueue(1, depth: 32, vector: 1), memory: host.memory, depth: 31, firstBlock: 0, seed: 1)
    try load.run(commands: 500)
    let during = try scrape(path)
    let kinds = ["read", "write"].map { during["nvmed_commands_total{controller=\"disk0\",kind=\"\($0)\"}"] ?? 0 }
    #expect(kinds.allSatisfy { $0 > 0 } && kinds.reduce(0, +) >= 500)
    #expect(during["nvmed_command_latency_seconds_count{controller=\"disk0\",kind=\"read\"}"] == kinds[0])
    #expect(during["nvmed_controller_state{controller=\"disk0\",state=\"ready\"}"] == 1)
    #expect((during["nvmed_doorbells_total{controller=\"disk0\",path=\"slot\"}"] ?? 0) > 0)
    #expect((during["nvmed_interrupts_total{controller=\"disk0\"}"] ?? 0) > 0)
    #expect((during["nvmed_dma_bytes{controller=\"disk0\"}"] ?? 0) >= Double(2 << 20))
    #expect(during["nvmed_namespace_size_bytes{controller=\"disk0\",nsid=\"1\"}"] == Double(1 << 20))
    #expect(during["nvmed_queues{controller=\"disk0\",type=\"submission\"}"] == 1)
    host.disconnect()
    try daemon.awaitLog("client disconnected")
    let after = try scrape(path)
    let reads = after["nvmed_commands_total{controller=\"disk0\",kind=\"read\"}"] ?? 0
    #expect(reads >= kinds[0], "clients go, sums stay")
    #expect(after["nvmed_connections_total{controller=\"disk0\"}"] == 1)
    try daemon.terminate()
    #expect(access(path, F_OK) != 0)
  }

  @Test func anAddressThatIsTakenEndsTheStart() throws {
    let folder = try TestFolder()
    _ = try folder.image("0.img", byteCount: 1 << 20)
    _ = try folder.text("metrics.sock", "no socket")
    let configuration = """
      [metrics]
      listen = "unix:\(folder.file("metrics.sock"))"
      [[controller]]
      name = "disk0"
      socket = "0.sock"
      [[controller.namespace]]
      image = "0.img"
      """
    let (end, text) = try runToEnd(["serve", "--config", try folder.text("nvmed.toml", configuration)])
    #expect(end == .exit(1))
    #expect(text.contains("metrics.listen: \"\(folder.file("metrics.sock"))\" is there and is no socket"))
    #expect(access(folder.file("0.sock"), F_OK) != 0, "nothing is left behind")
  }
}
