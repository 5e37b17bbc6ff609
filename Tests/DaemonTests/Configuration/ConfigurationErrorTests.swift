import TOML
import Testing

@testable import Daemon

@Suite struct ConfigurationErrorTests {
  private func errors(_ text: String) -> [String] {
    do throws(ConfigurationErrors) {
      _ = try DaemonConfiguration(text: text, file: "nvmed.toml", folder: "/etc/nvmed")
      return []
    } catch {
      return error.errors.map(\.description)
    }
  }

  @Test(arguments: BadConfiguration.unknownKeys) func unknownKeys(_ bad: BadConfiguration) {
    #expect(errors(bad.text) == bad.errors)
  }

  @Test(arguments: BadConfiguration.types) func wrongTypes(_ bad: BadConfiguration) {
    #expect(errors(bad.text) == bad.errors)
  }

  @Test(arguments: BadConfiguration.values) func wrongValues(_ bad: BadConfiguration) {
    #expect(errors(bad.text) == bad.errors)
  }

  @Test(arguments: BadConfiguration.sizes) func wrongSizes(_ bad: BadConfiguration) {
    #expect(errors(bad.text) == bad.errors)
  }

  @Test(arguments: BadConfiguration.relations) func keysThatDependOnOthers(_ bad: BadConfiguration) {
    #expect(errors(bad.text) == bad.errors)
  }

  @Test(arguments: BadConfiguration.shared) func thingsThatMustDiffer(_ bad: BadConfiguration) {
    #expect(errors(bad.text) == bad.errors)
  }

  @Test(arguments: BadConfiguration.syntax) func syntax(_ bad: BadConfiguration) {
    #expect(errors(bad.text) == bad.errors)
  }

  @Test func allErrorsAtOnceInTheOrderOfTheFile() {
    let text = """
      [[controller]]
      name = "a"
      io_queues = 0
      colour = "red"
      [[controller.namespace]]
      image = "/x"
      blocksize = 4096
      [[controller]]
      [daemon]
      io_threads = "many"
      """
    #expect(
      errors(text) == [
        "nvmed.toml:3: controller.io_queues: 0 is out of range; write an integer from 1 to 64",
        "nvmed.toml:4: controller.colour: unknown key; [[controller]] has the keys name, socket, serial, model, "
          + "firmware, io_queues, queue_entries, max_data_transfer, doorbells, post_write, shadow_doorbells, vendor_id, "
          + "device_id, io_thread, iops_limit, iops_burst, bandwidth_limit, bandwidth_burst, read_iops_limit, "
          + "read_iops_burst, read_bandwidth_limit, read_bandwidth_burst, write_iops_limit, write_iops_burst, "
          + "write_bandwidth_limit, write_bandwidth_burst, namespace",
        "nvmed.toml:7: controller.namespace.blocksize: unknown key; did you mean 'block_size'?",
        "nvmed.toml:8: controller.name: missing; write for example name = \"disk0\"",
        "nvmed.toml:10: daemon.io_threads: is a string; write an integer from 1 to 64",
      ])
  }

  @Test func aThousandErrorsAreCut() throws {
    let text = "[daemon]\n" + (0..<1000).map { "key\($0) = 1\n" }.joined()
    let error = try #require(throws: ConfigurationErrors.self) {
      try DaemonConfiguration(text: text, file: "f", folder: "/")
    }
    #expect(error.errors.count == 100)
    #expect(error.omitted == 900)
    #expect(error.description.hasSuffix("\nand 900 more"))
    #expect(error.errors.last?.position?.line == 101)
  }

  @Test func anErrorWithoutAFile() {
    let error = ConfigurationError(file: nil, position: nil, keyPath: "a.b", message: "is wrong")
    #expect(error.description == "a.b: is wrong")
    let place = SourcePosition(line: 3, column: 7)
    #expect(ConfigurationError(file: "f", position: place, keyPath: nil, message: "no").description == "f:3:7: no")
    #expect(ConfigurationError(file: "f", position: place, keyPath: "k", message: "no").description == "f:3: k: no")
    #expect(ConfigurationError(file: "f", position: nil, keyPath: nil, message: "no").description == "f: no")
  }

  @Test func quotedTextIsPlainAndShort() {
    #expect(quoted("a\"b\\c") == "\"a\\\"b\\\\c\"")
    #expect(quoted("\u{1b}[31m\n\u{202e}") == "\"\\u{1b}[31m\\u{a}\\u{202e}\"")
    #expect(quoted(String(repeating: "x", count: 81)) == "\"" + String(repeating: "x", count: 80) + "...\"")
  }
}
