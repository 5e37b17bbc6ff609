import Glibc
import LinuxIO
import Testing

@testable import Daemon

@Suite struct ConfigurationExampleTests {
  private func configuration(_ text: String) throws -> DaemonConfiguration {
    try DaemonConfiguration(text: text, file: "nvmed.toml", folder: "/etc/nvmed")
  }

  /// `config/nvmed.toml` of the repository.
  private static var shippedExample: String {
    let here = #filePath.split(separator: "/").dropLast(4)
    return "/" + here.joined(separator: "/") + "/config/nvmed.toml"
  }

  @Test func theShippedFileIsTheSchemasText() throws {
    let file = try FileDescriptor(path: Self.shippedExample, flags: O_RDONLY)
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(file.rawValue, &bytes, bytes.count)
    #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == ConfigurationSchema.exampleText())
  }

  @Test func theExampleIsOneControllerWithOneImage() throws {
    let expected = DaemonConfiguration(controllers: [
      ControllerConfiguration(
        name: "disk0", socketPath: "/run/nvmed/disk0.sock",
        namespaces: [NamespaceConfiguration(imagePath: "/var/lib/nvmed/disk0.img")])
    ])
    #expect(try configuration(ConfigurationSchema.exampleText()) == expected)
    #expect(try DaemonConfiguration(path: Self.shippedExample) == expected)
  }

  /// Each commented key with its example, as a user would try it: all but `size`, which a file does not take.
  @Test func everyCommentedKeyCanBeSet() throws {
    let lines = ConfigurationSchema.exampleText().split(separator: "\n", omittingEmptySubsequences: false)
    let uncommented = lines.map { line in
      line.hasPrefix("#") && !line.hasPrefix("# ") && !line.hasPrefix("#size") ? line.dropFirst() : line
    }
    #expect(uncommented != lines)
    let configuration = try configuration(uncommented.joined(separator: "\n"))
    var limits = LimitsConfiguration()
    let operations = LimitsConfiguration.Limit(perSecond: 5000, burst: 50_000)
    let bytes = LimitsConfiguration.Limit(perSecond: 200 << 20, burst: 2 << 30)
    (limits.operations, limits.readOperations, limits.writeOperations) = (operations, operations, operations)
    (limits.bytes, limits.readBytes, limits.writtenBytes) = (bytes, bytes, bytes)
    #expect(configuration == expected(limits))
  }

  private func expected(_ limits: LimitsConfiguration) -> DaemonConfiguration {
    var configuration = DaemonConfiguration(
      controlSocket: "/run/nvmed/control.sock", controlGroup: "nvmed", user: "nvmed", group: "nvmed",
      imageFolders: ["/var/lib/nvmed"],
      controllers: [
        ControllerConfiguration(
          name: "disk0", socketPath: "/run/nvmed/disk0.sock", serial: "NVMED0001", vendorID: 0x1af4, deviceID: 0x10f0,
          ioThread: 0, limits: limits,
          namespaces: [
            NamespaceConfiguration(
              nsid: 1, imagePath: "/var/lib/nvmed/disk0.img",
              uuid: [0x5d, 0x5b, 0x21, 0xd5, 0x6d, 0x2b, 0x4f, 0x0e, 0x9a, 0x3c, 0x1f, 0x0e, 0x6f, 0x6f, 0x3c, 0x11],
              nguid: [0x6b, 0x3d, 0x0e, 0x1f, 0x2a, 0x4c, 0x5b, 0x6d, 0x00, 0x24, 0xac, 0x5f, 0, 0, 0, 1],
              eui64: [0x00, 0x24, 0xac, 0x5f, 0, 0, 0, 1])
          ])
      ])
    configuration.metricsAddress = .tcp(host: "127.0.0.1", port: 9911)
    return configuration
  }

  @Test func everyKeyOfTheSchemaIsShownOnce() {
    let text = ConfigurationSchema.exampleText()
    let keys =
      ConfigurationSchema.daemon.settings.map(\.key) + ConfigurationSchema.controller.settings.map(\.key)
      + ConfigurationSchema.namespace.settings.map(\.key) + ConfigurationSchema.metrics.settings.map(\.key)
    #expect(keys.count == Set(keys).count)
    for key in keys {
      let lines = text.split(separator: "\n").filter { $0.hasPrefix("\(key) = ") || $0.hasPrefix("#\(key) = ") }
      #expect(lines.count == 1, "\(key)")
    }
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
  }
}
