/// One controller in `controller.list`.
public struct ControllerSummary: Codable, Sendable, Equatable {
  /// Its name.
  public var name: String
  /// What it is doing.
  public var state: ControllerStatus.State
  /// The path of its socket; nil where the socket was handed over.
  public var socket: String?
  /// Its namespaces.
  public var namespaces: Int

  init(_ status: ControllerStatus) {
    name = status.name
    state = status.state
    socket = status.socketPath
    namespaces = status.namespaces.count
  }
}

/// The namespace that `namespace.add` has made, or whose size `namespace.resize` has looked at.
public struct NamespaceResult: Codable, Sendable, Equatable {
  /// Namespace identifier.
  public var nsid: UInt32
  /// Bytes.
  public var size: UInt64?
}

/// What `config.show` gives.
public struct ConfigurationResult: Codable, Sendable, Equatable {
  /// What is served now, as a configuration file.
  public var toml: String
}

/// What `log.set_level` has set.
public struct LogLevelResult: Codable, Sendable, Equatable {
  /// The least important messages that are logged.
  public var level: LogLevel
}
