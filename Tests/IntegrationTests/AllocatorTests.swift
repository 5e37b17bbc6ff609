import NVMeHost
import Testing

/// What the allocator keeps.
@Suite struct AllocatorTests {
  /// It is not the more the more threads have ever allocated.
  @Test func hasTwoArenasForAllThreads() throws {
    let folder = try TestFolder()
    let names = (0..<6).map { "c\($0)" }
    let controllers = names.map {
      "[[controller]]\nname = \"\($0)\"\nsocket = \"\($0).sock\"\n[[controller.namespace]]\nbackend = \"null\"\nsize = \"1MiB\"\n"
    }
    let path = try folder.text("nvmed.toml", "[daemon]\nio_threads = 2\n" + controllers.joined())
    let daemon = try DaemonProcess(["serve", "--config", path])
    try daemon.awaitReady(controllers: names.count)
    var hosts: [HostController] = []
    for name in names {
      let host = try HostController(path: folder.file("\(name).sock"), memory: HostMemory(byteCount: 1 << 20))
      try host.initialize()
      #expect(try host.identifyController() == host.identity)
      hosts.append(host)
    }
    #expect(try ProcessStatistics(daemon).threads > 8)
    #expect(try ProcessStatistics.arenas(of: daemon) == 1, "beside the first, which has no such addresses")
    for host in hosts { host.disconnect() }
    try daemon.terminate()
  }
}
