import DeviceServer
import LinuxIO
import Logging
import NVMeController
import Storage

/// A namespace that is served, as it was asked for.
struct ServedNamespace: Sendable {
  /// As it was asked for; with its identifier.
  var configuration: NamespaceConfiguration
  /// What it is made of.
  var namespace: Namespace
  /// Whether it is being removed, and commands in flight still use it.
  var isLeaving = false
}

/// A controller that is served: its server, and what it serves now. Any thread.
final class ServedController: Sendable {
  /// What may change while it is served.
  struct State: Sendable {
    var namespaces: [UInt32: ServedNamespace]
    var limits: RateLimits
    /// Whether it is being removed.
    var isLeaving = false
    /// What tells when the images are closed that it has given up.
    var closings: [ImageClosing] = []
  }

  /// Distinguishes it from others of its name, before and after it.
  let number: UInt64
  let logger: Logger
  let server: DeviceServer
  /// Signalled when its control thread has ended.
  let ended: EventFD
  private let original: ControllerConfiguration
  let state: Locked<State>

  init(
    number: UInt64, _ configuration: ControllerConfiguration, _ namespaces: [UInt32: ServedNamespace],
    server: DeviceServer, ended: consuming EventFD, logger: Logger
  ) {
    self.number = number
    original = configuration
    self.server = server
    self.ended = ended
    self.logger = logger
    state = Locked(State(namespaces: namespaces, limits: configuration.limits.rateLimits))
  }

  var name: String { original.name }

  /// Gives up its namespaces, of which its server, which has ended, needs none.
  ///
  /// - Returns: what tells when their images are closed.
  func letGo() -> [ImageClosing] {
    state.withLock { state in
      state.closings += state.namespaces.values.compactMap { $0.namespace.backend.image?.closing }
      state.namespaces = [:]
      return state.closings
    }
  }

  /// What it is now, in words of a configuration: namespaces by identifier, which each of them has.
  var configuration: ControllerConfiguration {
    let state = state.withLock { $0 }
    var configuration = original
    configuration.limits = LimitsConfiguration(state.limits)
    configuration.namespaces = state.namespaces.sorted { $0.key < $1.key }.map(\.value.configuration)
    return configuration
  }
}
