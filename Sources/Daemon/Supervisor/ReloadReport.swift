/// What a reload has changed.
public struct ReloadReport: Codable, Sendable, Equatable {
  /// A namespace that changed.
  public struct Namespace: Codable, Sendable, Equatable {
    /// The controller's name.
    public var controller: String
    /// Namespace identifier.
    public var nsid: UInt32
    /// The path of its image, or what it is made of.
    public var image: String
  }

  /// Names of controllers that were added.
  public var addedControllers: [String] = []
  /// Names of controllers that were removed.
  public var removedControllers: [String] = []
  /// Namespaces that were added to controllers that were there.
  public var addedNamespaces: [Namespace] = []
  /// Namespaces that were removed from controllers that stay.
  public var removedNamespaces: [Namespace] = []
  /// Namespaces with another size than before.
  public var resizedNamespaces: [Namespace] = []
  /// Names of controllers with other rate limits than before.
  public var changedLimits: [String] = []
  /// The log level, if it changed.
  public var logLevel: LogLevel?
  /// What could not be done in the time for it, and what an operator should know, in sentences.
  public var warnings: [String] = []

  /// Nothing.
  public init() {}

  /// Whether nothing has changed.
  public var isEmpty: Bool { self == ReloadReport() }

  /// The changes in words, each on a line of its own.
  public var lines: [String] {
    func list(_ namespaces: [Namespace], _ what: String) -> [String] {
      namespaces.map { "namespace \($0.nsid) of '\($0.controller)' (\($0.image)) \(what)" }
    }
    return addedControllers.map { "controller '\($0)' added" } + removedControllers.map { "controller '\($0)' removed" }
      + list(addedNamespaces, "added") + list(removedNamespaces, "removed") + list(resizedNamespaces, "resized")
      + changedLimits.map { "rate limits of '\($0)' changed" } + (logLevel.map { ["log level '\($0.rawValue)'"] } ?? [])
      + warnings
  }
}

/// Why a reload changed nothing: everything that speaks against it.
public struct ReloadRefusal: Error, Codable, Sendable, Equatable, CustomStringConvertible {
  /// One reason.
  public struct Reason: Codable, Sendable, Equatable, CustomStringConvertible {
    /// The key, as in `controller.model`; nil where none is to blame.
    public var keyPath: String?
    /// What is wrong and what to do.
    public var message: String

    /// `key: message`.
    public var description: String { (keyPath.map { "\($0): " } ?? "") + message }
  }

  /// The reasons, at least one.
  public var reasons: [Reason]

  /// One reason per line.
  public var description: String { reasons.map(\.description).joined(separator: "\n") }
}
