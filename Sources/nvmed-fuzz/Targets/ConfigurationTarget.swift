import Daemon

/// Configuration files, in UTF-8: what is not is refused before it is looked at.
enum ConfigurationTarget {
  static func test(_ bytes: [UInt8]) {
    do throws(ConfigurationErrors) {
      let configuration = try DaemonConfiguration(
        text: String(decoding: bytes, as: UTF8.self), file: "nvmed.toml", folder: "/etc/nvmed")
      // What was read is what may be: no second reading finds fault with it.
      try configuration.check()
    } catch {
      let text = error.description
      require(text.contains("nvmed.toml"), "an error without its place: \(text)")
    }
  }
}
