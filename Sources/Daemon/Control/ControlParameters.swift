import Control

/// Which controller is meant.
struct ControllerChoice: ControlParameters {
  var controller: String

  static let descriptions = [ParameterDescription.controller]
}

/// Which namespace is meant.
struct NamespaceChoice: ControlParameters {
  var controller: String
  var nsid: UInt32

  static let descriptions = [
    ParameterDescription.controller,
    ParameterDescription("nsid", "an integer from 1 to 64", required: true, "Namespace identifier."),
  ]
}

/// A controller to come.
struct NewController: ControlParameters {
  var controller: JSONValue

  static let descriptions = [
    ParameterDescription(
      "controller", "an object", required: true,
      "The keys of [[controller]] in a configuration file; 'namespace' is an array of objects with those of "
        + "[[controller.namespace]], or 'image_descriptor', the place of a descriptor that comes with the request.")
  ]
}

/// A namespace to come.
struct NewNamespace: ControlParameters {
  var controller: String
  var namespace: JSONValue

  static let descriptions = [
    ParameterDescription.controller,
    ParameterDescription(
      "namespace", "an object", required: true,
      "The keys of [[controller.namespace]] in a configuration file, or 'image_descriptor', the place of a descriptor "
        + "that comes with the request."),
  ]
}

/// Limits to come.
struct NewLimits: ControlParameters {
  var controller: String
  var limits: JSONValue

  static let descriptions = [
    ParameterDescription.controller,
    ParameterDescription(
      "limits", "an object", required: true,
      "The limits of [[controller]] in a configuration file, such as 'iops_limit'. Those that are left out are none."),
  ]
}

/// A log level to come.
struct NewLogLevel: ControlParameters {
  var level: String

  static let descriptions = [
    ParameterDescription(
      "level", LogLevel.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "), required: true,
      "The least important messages that are logged from now on.")
  ]
}

extension ParameterDescription {
  static let controller = ParameterDescription("controller", "a string", required: true, "The controller's name.")
}
