import Testing

@testable import Daemon

/// Configurations that do not come from a file, as the command line makes them.
@Suite struct ConfigurationCheckTests {
  private func errors(_ configuration: DaemonConfiguration) -> [String] {
    do throws(ConfigurationErrors) {
      try configuration.check()
      return []
    } catch {
      return error.errors.map(\.description)
    }
  }

  @Test func inheritedDescriptorsStandInForPaths() {
    let configuration = DaemonConfiguration(controllers: [
      ControllerConfiguration(
        name: "a", inheritedSocket: 3,
        namespaces: [
          NamespaceConfiguration(inheritedImage: 4), NamespaceConfiguration(backend: .memory, size: 1 << 30),
        ])
    ])
    #expect(errors(configuration) == [])
    #expect(errors(DaemonConfiguration()) == [])
  }

  @Test func theRulesOfTheFileHold() {
    var controller = ControllerConfiguration(name: "a-name-of-twenty-five-char", socketPath: "", ioQueues: 0)
    controller.namespaces = [NamespaceConfiguration(blockSize: 0, uuid: [1]), NamespaceConfiguration(backend: .null)]
    let configuration = DaemonConfiguration(
      ioThreads: 2, ioCPUs: [1], controllers: [controller, ControllerConfiguration(name: "", ioThread: 2)])
    #expect(
      errors(configuration) == [
        "controller.socket: is empty; write a path of 1 to 107 bytes",
        "controller.serial: \"a-name-of-twenty-five-char\" is 26 characters long; "
          + "write 1 to 20 printable ASCII characters without a space at either end",
        "controller.io_queues: 0 is out of range; write an integer from 1 to 64",
        "controller.namespace.block_size: 0 is not possible; write 512 or 4096",
        "controller.namespace.uuid: is 1 bytes long; "
          + "write a UUID other than zero, as in \"5d5b21d5-6d2b-4f0e-9a3c-1f0e6f6f3c11\"",
        "controller.name: is empty; write 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit",
        "controller.serial: is empty; write 1 to 20 printable ASCII characters without a space at either end",
        "daemon.io_cpus: lists 1 CPUs for 2 I/O threads; list one for each, or none",
        "controller.namespace.image: missing; write for example image = \"/var/lib/nvmed/disk0.img\"",
        "controller.namespace.size: missing; write for example size = \"1GiB\"",
        "controller.io_thread: 2 is out of range; write an integer below io_threads, which is 2",
      ])
  }

  @Test func sharedThingsAreFoundWithoutLines() {
    let namespace = NamespaceConfiguration(imagePath: "/x")
    let configuration = DaemonConfiguration(controllers: [
      ControllerConfiguration(name: "a", socketPath: "/s", namespaces: [namespace]),
      ControllerConfiguration(name: "a", socketPath: "/s", serial: "b", namespaces: [namespace]),
    ])
    #expect(
      errors(configuration) == [
        "controller.name: \"a\" is that of controller \"a\" too; write a different name for each controller",
        "controller.socket: \"/s\" is that of controller \"a\" too; write a different socket for each controller",
        "controller.namespace.image: \"/x\" is that of namespace 1 of controller \"a\" too; "
          + "use another image, or write read_only = true in both",
      ])
  }
}
