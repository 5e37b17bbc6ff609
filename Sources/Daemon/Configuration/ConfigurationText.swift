extension ConfigurationSchema {
  /// A configuration as a file: every key that differs from its default.
  public static func text(of configuration: DaemonConfiguration) -> String {
    var lines = section(configuration, daemon)
    for controller in configuration.controllers {
      lines += section(controller, Self.controller)
      for namespace in controller.namespaces { lines += section(namespace, Self.namespace) }
    }
    return lines.dropFirst().joined(separator: "\n") + "\n"
  }

  private static func section<Model>(_ model: Model, _ table: ConfigurationTable<Model>) -> [String] {
    let keys = table.settings.compactMap { setting in
      setting.isEqual(model, Model.unset) ? nil : setting.show(model).map { "\(setting.key) = \($0)" }
    }
    return ["", table.header] + keys
  }
}

/// A text as a TOML string.
func tomlText(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    if scalar == "\"" || scalar == "\\" {
      result += "\\\(scalar)"
    } else if scalar.properties.generalCategory == .control || scalar.properties.isBidiControl {
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
