import Testing

@testable import Daemon

@Suite struct ConfigurationReaderTests {
  private func configuration(_ text: String) throws -> DaemonConfiguration {
    try DaemonConfiguration(text: text, file: "nvmed.toml", folder: "/etc/nvmed")
  }

  @Test(arguments: ["", "\n# nothing\n", "\u{feff}", "[daemon]", "controller = []", "[daemon]\r\n"])
  func nothingButDefaults(_ text: String) throws {
    let configuration = try configuration(text)
    #expect(configuration == DaemonConfiguration())
    #expect(configuration.ioThreads == 1)
    #expect(configuration.ioCPUs == [])
    #expect(configuration.logLevel == .info)
    #expect(configuration.workerThreads == 2)
    #expect(configuration.controllers == [])
  }

  @Test func defaultsOfAController() throws {
    let controller = try #require(try configuration("[[controller]]\nname = \"disk0\"").controllers.first)
    #expect(controller.name == "disk0")
    #expect(controller.socketPath == nil)
    #expect(controller.inheritedSocket == nil)
    #expect(controller.serial == "disk0")
    #expect(controller.model == "nvmed NVMe controller")
    #expect(controller.firmware == "1.0")
    #expect(controller.ioQueues == 64)
    #expect(controller.queueEntries == 256)
    #expect(controller.maximumDataTransfer == 524288)
    #expect(controller.vendorID == nil)
    #expect(controller.deviceID == nil)
    #expect(controller.ioThread == nil)
    #expect(controller.namespaces == [])
  }

  @Test func defaultsOfANamespace() throws {
    let text = "[[controller]]\nname = \"disk0\"\n[[controller.namespace]]\nimage = \"/a\""
    let namespace = try #require(try configuration(text).controllers.first?.namespaces.first)
    #expect(namespace.backend == .file)
    #expect(namespace.imagePath == "/a")
    #expect(namespace.inheritedImage == nil)
    #expect(namespace.size == nil)
    #expect(namespace.blockSize == 512)
    #expect(!namespace.isReadOnly)
    #expect(namespace.cache == .direct)
    #expect(namespace.discard)
    #expect(namespace.lock)
    #expect(namespace.uuid == nil)
    #expect(namespace.nguid == nil)
    #expect(namespace.eui64 == nil)
  }

  @Test func everyKey() throws {
    let text = """
      [[controller]]
      name = "disk0"
      socket = "sockets/disk0.sock"
      serial = "S 1"
      model = "A Model"
      firmware = "2.1"
      io_queues = 8
      queue_entries = 1_024
      max_data_transfer = "1MiB"
      doorbells = "ioeventfd"
      post_write = "ebpf"
      shadow_doorbells = "on"
      vendor_id = 0x1234
      device_id = 0x5678
      io_thread = 1
      iops_limit = 5_000
      iops_burst = 9
      read_bandwidth_limit = "200MiB/s"
      write_bandwidth_limit = 1_000_000
      write_bandwidth_burst = "1GB"

      [[controller.namespace]]
      backend = "file"
      image = "../disk0.img"
      block_size = 4096
      read_only = true
      cache = "buffered"
      discard = false
      lock = false
      uuid = "00112233-4455-6677-8899-aabbccddeeff"
      nguid = "FFEEDDCCBBAA99887766554433221100"
      eui64 = "0123456789abcdef"

      [[controller.namespace]]
      nsid = 9
      backend = "null"
      size = "8TiB"

      [[controller]]
      name = "disk1"
      [[controller.namespace]]
      backend = "memory"
      size = 1048576

      [daemon]
      io_threads = 2
      io_cpus = [ 3, 0 ]
      log_level = "debug"
      worker_threads = 4
      spin_us = 0
      poll_sleep_us = 50
      """
    var limits = LimitsConfiguration()
    limits.operations = LimitsConfiguration.Limit(perSecond: 5000, burst: 9)
    limits.readBytes.perSecond = 200 << 20
    limits.writtenBytes = LimitsConfiguration.Limit(perSecond: 1_000_000, burst: 1_000_000_000)
    let first = ControllerConfiguration(
      name: "disk0", socketPath: "/etc/nvmed/sockets/disk0.sock", serial: "S 1", model: "A Model", firmware: "2.1",
      ioQueues: 8, queueEntries: 1024, maximumDataTransfer: 1 << 20, doorbells: .ioeventfd,
      postWrite: .ebpf, shadowDoorbells: .on, vendorID: 0x1234, deviceID: 0x5678, ioThread: 1, limits: limits,
      namespaces: [
        NamespaceConfiguration(
          backend: .file, imagePath: "/etc/nvmed/../disk0.img", blockSize: 4096, isReadOnly: true, cache: .buffered,
          discard: false, lock: false,
          uuid: [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff],
          nguid: [0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x00],
          eui64: [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]),
        NamespaceConfiguration(nsid: 9, backend: .null, size: 8 << 40),
      ])
    let second = ControllerConfiguration(
      name: "disk1", namespaces: [NamespaceConfiguration(backend: .memory, size: 1 << 20)])
    #expect(
      try configuration(text)
        == DaemonConfiguration(
          ioThreads: 2, ioCPUs: [3, 0], logLevel: .debug, workerThreads: 4, spinMicroseconds: 0,
          pollSleepMicroseconds: 50, controllers: [first, second]))
  }

  @Test func otherWaysToWriteTheSame() throws {
    let text = """
      daemon.io_threads = 0x2
      "daemon".'log_level' = 'error'
      controller = [
        { name = "a", namespace = [{ image = \"""/x\""" }, { image = '/y' }] }, # inline
        { name = "b" },
      ]
      """
    let configuration = try configuration(text)
    #expect(configuration.ioThreads == 2)
    #expect(configuration.logLevel == .error)
    #expect(configuration.controllers.map(\.name) == ["a", "b"])
    #expect(configuration.controllers.first?.namespaces.map(\.imagePath) == ["/x", "/y"])
  }

  /// Limits of ranges, both ends.
  @Test(arguments: [
    "io_queues = 1", "io_queues = 64", "queue_entries = 2", "queue_entries = 4096", "max_data_transfer = \"8KiB\"",
    "max_data_transfer = 2097152", "firmware = \"12345678\"", "serial = \"12345678901234567890\"",
    "vendor_id = 1\ndevice_id = 0xfffe", "io_thread = 0", "socket = \"/\(String(repeating: "s", count: 106))\"",
    "socket = \"\(String(repeating: "s", count: 96))\"",
  ])
  func valuesAtTheirLimits(_ line: String) throws {
    #expect(try configuration("[[controller]]\nname = \"a\"\n\(line)").controllers.count == 1)
  }

  @Test func readersMayShareAnImage() throws {
    let text = """
      [[controller]]
      name = "a"
      namespace = [{ image = "/x", read_only = true }, { image = "/x", read_only = true }]
      """
    #expect(try configuration(text).controllers.first?.namespaces.count == 2)
  }

  @Test(arguments: [
    ("/a/b", "/a/b"), ("b", "/etc/nvmed/b"), ("./b//c/.", "/etc/nvmed/b/c"), ("../b", "/etc/nvmed/../b"),
    ("/", "/"), ("//a/./", "/a"), (".", "/etc/nvmed"), ("...", "/etc/nvmed/..."),
  ])
  func pathsBecomeAbsolute(_ path: String, _ absolute: String) {
    #expect(absolutePath(path, in: "/etc/nvmed") == absolute)
  }
}
