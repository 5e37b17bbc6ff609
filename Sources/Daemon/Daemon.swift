import DeviceServer
import Doorbells
import Glibc
import LinuxIO
import Logging
import NVMeController
import PCIDevice

/// The daemon: images, threads, controllers, from the configuration to the last signal.
public enum Daemon {
  /// What wakes the main thread.
  private enum Source: UInt64 {
    case signals = 1
    case ended
  }

  /// Serves until SIGTERM or SIGINT, or until every client that was handed over has gone.
  ///
  /// Call it on the main thread, before any other thread is started.
  ///
  /// - Throws: the reason why it cannot start; then nothing was started.
  public static func run(_ configuration: DaemonConfiguration) throws(DaemonError) {
    let level = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
    var logger = Logger(label: "nvmed") { StandardErrorLog(label: $0) }
    logger.logLevel = level
    // Descriptors that were handed over have their numbers; nothing else may be opened before they have owners.
    var handedOver = FixedTable<HandedOver>(count: configuration.controllers.count) { _ in HandedOver() }
    for (index, controller) in configuration.controllers.enumerated() {
      handedOver[index] = try HandedOver.inherited(by: controller)
    }
    ResourceLimits.raiseOpenFiles()
    let signals = try need { () throws(Errno) in try Signals() }
    let ended = try need { () throws(Errno) in try Mailbox<Int>() }
    let epoll = try need { () throws(Errno) in
      let epoll = try Epoll()
      try epoll.add(signals.rawValue, .readable, token: Source.signals.rawValue)
      try epoll.add(ended.descriptor, .readable, token: Source.ended.rawValue)
      return epoll
    }

    // A thread that may not run where it is told to would run anywhere.
    let refused = ProcessorsCheck.refused(configuration.ioCPUs)
    if !refused.isEmpty {
      throw DaemonError(
        "daemon.io_cpus: no thread can be placed on CPU \(ProcessorsCheck.list(refused)); write CPUs that this host has "
          + "and that nvmed may use (AllowedCPUs= of systemd, cpuset of a container)")
    }

    // Everything that can fail for want of a file or socket comes before any thread.
    let ways = PostWriteWays(clients: configuration.controllers.count, logger: logger)
    var controllers: [(options: DeviceOptions, logger: Logger)] = []
    for (index, controller) in configuration.controllers.enumerated() {
      var named = Logger(label: controller.name) { StandardErrorLog(label: $0) }
      named.logLevel = level
      var options = try options(controller, &handedOver[index], named)
      do throws(DoorbellTracerError) { options.postWrite = try ways.postWrite(controller.postWrite) } catch {
        throw DaemonError("controller '\(controller.name)': post_write = \"ebpf\" is not possible here: \(error)")
      }
      controllers.append((options, named))
    }
    var endpoints = FixedTable<DeviceEndpoint?>(count: configuration.controllers.count) { _ in nil }
    for (index, controller) in configuration.controllers.enumerated() {
      endpoints[index] = try EndpointOpening.open(controller, handedOver: &handedOver[index])
    }

    var poolOptions = IOThreadPool.Options()
    poolOptions.threads = configuration.ioThreads
    poolOptions.cpus = configuration.ioCPUs
    poolOptions.workers = configuration.workerThreads
    poolOptions.spinLimit = UInt64(configuration.spinMicroseconds) * 1000
    poolOptions.sleepLimit = UInt64(configuration.pollSleepMicroseconds) * 1000
    poolOptions.controllers = max(configuration.controllers.count, 1)
    poolOptions.maximumTransfer = configuration.controllers.map { $0.maximumDataTransfer }.max() ?? 4096
    let pool: IOThreadPool
    do throws(IOEngineError) { pool = try IOThreadPool.start(poolOptions) } catch {
      throw DaemonError(error.description)
    }

    var servers: [Int: DeviceServer] = [:]
    for (index, controller) in controllers.enumerated() {
      guard let endpoint = endpoints[index].take() else { continue }
      do throws(Errno) {
        servers[index] = try DeviceServer(
          controller.options, pool: pool, endpoint: endpoint, logger: controller.logger,
          ended: { ended.post(index) })
      } catch {
        for server in servers.values { server.stop() }
        pool.stop()
        throw DaemonError("controller '\(controller.options.name)' cannot be served: \(error)")
      }
      logger.info(
        "serving '\(controller.options.name)'\(configuration.controllers[index].socketPath.map { " on \($0)" } ?? "")")
    }

    var events = EpollEvents()
    wait: while !servers.isEmpty {
      epoll.wait(timeout: -1, into: &events)
      for index in 0..<events.count {
        switch Source(rawValue: events[index].token) {
        case .signals:
          guard let signal = signals.take() else { continue }
          logger.info("signal \(signal): completing what is in flight")
          break wait
        case .ended:
          for server in ended.takeAll() { servers.removeValue(forKey: server)?.stop() }
        case nil: break
        }
      }
    }
    for server in servers.values { server.stop() }
    pool.stop()
    logger.info("ended")
  }

  /// What the daemon cannot be without.
  private static func need<Value: ~Copyable>(_ make: () throws(Errno) -> Value) throws(DaemonError) -> Value {
    do throws(Errno) { return try make() } catch { throw DaemonError("the daemon cannot start: \(error)") }
  }

  private static func options(
    _ configuration: ControllerConfiguration, _ handedOver: inout HandedOver, _ logger: Logger
  ) throws(DaemonError) -> DeviceOptions {
    let namespaces = try NamespaceOpening.open(configuration, handedOver: &handedOver, logger: logger)
    var controller = ControllerDescription(
      serialNumber: configuration.serial, modelNumber: configuration.model,
      subsystemName: "nqn.2026-11.io.nvmed:\(configuration.serial)")
    controller.firmwareRevision = configuration.firmware
    controller.queueCount = configuration.ioQueues
    controller.queueEntries = configuration.queueEntries
    controller.maximumTransfer = configuration.maximumDataTransfer
    controller.vectorCount = configuration.ioQueues + 1
    controller.doorbells = configuration.doorbells == .poll ? .poll : .ioeventfd
    controller.shadowDoorbells = configuration.shadowDoorbells
    var options = DeviceOptions(name: configuration.name, controller: controller, namespaces: namespaces)
    options.ioThread = configuration.ioThread
    if let vendor = configuration.vendorID, let device = configuration.deviceID {
      options.identity = PCIIdentity(vendor: vendor, device: device, subsystemVendor: vendor, subsystem: device)
    }
    return options
  }
}
