import DeviceServer

/// Finds out what this host can do for the daemon: `nvmed doctor`.
public enum Doctor {
  /// Looks at the host, at what a configuration names, and at images, block devices and folders.
  ///
  /// Nothing is changed and no daemon or monitor is disturbed, whatever they are doing: an image is read and never
  /// written, and a folder gets a file without a name for a moment.
  ///
  /// - Parameters:
  ///   - configurationPath: the file to look at; nil: that of a daemon with one controller by default values.
  ///   - paths: images, block devices and folders.
  /// - Returns: at least one finding.
  public static func examine(configurationPath: String? = nil, paths: [String] = []) -> [Finding] {
    let file = configurationPath.map { ConfigurationCheck(path: $0) }
    let configuration = file?.configuration ?? DaemonConfiguration(controllers: [ControllerConfiguration(name: "")])
    var checks: [any HostCheck] = [
      KVMCheck(), PostWriteCheck(),
      EBPFCheck(isRequired: configuration.controllers.contains { $0.postWrite == .ebpf }),
      AIOCheck(ioThreads: configuration.ioThreads), SealsCheck(), HugePagesCheck(),
      ProcessorsCheck(ioThreads: configuration.ioThreads, ioCPUs: configuration.ioCPUs),
      OpenFilesCheck(configuration), MappingsCheck(), SandboxCheck(),
    ]
    if let file {
      checks.append(file)
      checks += configured(file.configuration?.controllers ?? [])
    }
    for path in paths {
      if FolderCheck.isFolder(path) {
        checks.append(FolderCheck(path: path))
      } else {
        checks.append(ImageCheck(path: path))
      }
    }
    return checks.flatMap { $0.findings() }
  }

  /// Whether the daemon can run here: nothing that it was asked for is missing.
  public static func canRun(_ findings: [Finding]) -> Bool { findings.allSatisfy { $0.verdict != .missing } }

  private static func configured(_ controllers: [ControllerConfiguration]) -> [any HostCheck] {
    var checks: [any HostCheck] = []
    for controller in controllers {
      if let path = controller.socketPath { checks.append(SocketCheck(path: path)) }
      for namespace in controller.namespaces where namespace.backend == .file {
        guard let path = namespace.imagePath else { continue }
        checks.append(ImageCheck(path: path, configuration: namespace))
      }
    }
    return checks
  }
}
