/// Whether a configuration file can be used at all.
struct ConfigurationCheck: HostCheck {
  private let path: String
  /// What it says; nil where it has errors.
  let configuration: DaemonConfiguration?
  private let errors: ConfigurationErrors?

  /// Reads it.
  init(path: String) {
    self.path = path
    do throws(ConfigurationErrors) {
      configuration = try DaemonConfiguration(path: path)
      errors = nil
    } catch {
      configuration = nil
      errors = error
    }
  }

  func findings() -> [Finding] {
    let (identifier, title) = ("configuration.file", "configuration")
    if let errors {
      return errors.errors.map {
        Finding(
          identifier, subject: path, title, .missing, $0.description,
          remedy: "correct it (nvmed example-config prints every option); what it names was not looked at")
      }
    }
    let count = configuration?.controllers.count ?? 0
    return [
      Finding(
        identifier, subject: path, title, .ok, "no errors; \(count) \(count == 1 ? "controller" : "controllers").")
    ]
  }
}
