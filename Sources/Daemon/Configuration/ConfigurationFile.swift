import Glibc
import LinuxIO
import TOML

extension DaemonConfiguration {
  /// The largest configuration file that is read, in bytes.
  static let maximumFileSize = 1 << 20

  /// Reads a configuration file: TOML 1.0 in UTF-8, a regular file of at most 1 MiB.
  ///
  /// Relative paths in it count from the file's folder.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - checkingFiles: whether the images and the folders of the sockets are looked at too, without being
  ///     opened.
  /// - Throws: everything that is wrong with it.
  public init(path: String, checkingFiles: Bool = false) throws(ConfigurationErrors) {
    func refusal(_ message: String) -> ConfigurationErrors {
      ConfigurationErrors([ConfigurationError(file: path, position: nil, keyPath: nil, message: message)])
    }
    let contents: [UInt8]?
    do throws(Errno) {
      contents = try Self.contents(of: path)
    } catch {
      let advice =
        switch error {
        case .noSuchFile: "check the path, or begin with: nvmed example-config > nvmed.toml"
        case .accessDenied: "give the user of nvmed the right to read it"
        default: "check the path"
        }
      throw refusal("cannot be read: \(error); \(advice)")
    }
    guard let bytes = contents else { throw refusal("is not a regular file; write the path of a TOML file") }
    guard bytes.count <= Self.maximumFileSize else {
      throw refusal("is larger than 1 MiB, which no configuration is; check the path")
    }
    var folder = absolutePath(path, in: Self.currentFolder())
    if let slash = folder.lastIndex(of: "/") { folder = String(folder[..<slash]) }
    try self.init(utf8: bytes, file: path, folder: folder, checkingFiles: checkingFiles)
  }

  /// Reads the text of a configuration file.
  ///
  /// - Parameters:
  ///   - text: TOML 1.0.
  ///   - file: the file as errors name it.
  ///   - folder: the absolute path of the folder that relative paths count from.
  ///   - checkingFiles: whether the images and the folders of the sockets are looked at too.
  /// - Throws: everything that is wrong with it.
  public init(
    text: String, file: String?, folder: String, checkingFiles: Bool = false
  ) throws(ConfigurationErrors) {
    try self.init(utf8: Array(text.utf8), file: file, folder: folder, checkingFiles: checkingFiles)
  }

  private init(utf8: [UInt8], file: String?, folder: String, checkingFiles: Bool) throws(ConfigurationErrors) {
    let document: TOMLNode
    do throws(TOMLError) {
      document = try TOMLNode.document(utf8, limits: Self.limits)
    } catch {
      let message = TOMLSyntaxAdvice.message(error.problem, line: Self.line(error.position.line, of: utf8))
      throw ConfigurationErrors([
        ConfigurationError(file: file, position: error.position, keyPath: nil, message: message)
      ])
    }
    var reader = ConfigurationReader(file: file, folder: folder, checksFiles: checkingFiles)
    let configuration = reader.read(document)
    guard reader.errors.isEmpty else { throw ConfigurationErrors(reader.errors) }
    self = configuration
  }

  /// Checks a configuration that did not come from a file, or was changed since, by the same rules.
  ///
  /// - Throws: everything that is wrong with it.
  public func check() throws(ConfigurationErrors) {
    var errors: [ConfigurationError] = []
    func check<Model>(_ model: Model, _ schema: ConfigurationTable<Model>) -> ReadTable<Model> {
      var table = ReadTable(model: model)
      for setting in schema.settings {
        guard let problem = setting.check(model) else { continue }
        table.refused.insert(setting.key)
        errors.append(
          ConfigurationError(
            file: nil, position: nil, keyPath: "\(schema.path).\(setting.key)",
            message: "\(problem); write \(setting.expected)"))
      }
      return table
    }
    let daemon = check(self, ConfigurationSchema.daemon)
    _ = check(self, ConfigurationSchema.metrics)
    let controllers = controllers.map { controller in
      ReadController(
        table: check(controller, ConfigurationSchema.controller),
        namespaces: controller.namespaces.map { check($0, ConfigurationSchema.namespace) })
    }
    errors += ConfigurationConsistency(file: nil, daemon: daemon, controllers: controllers).errors
    guard errors.isEmpty else { throw ConfigurationErrors(errors) }
  }

  // MARK: The file

  /// The first bytes of a regular file, one more than allowed when it is too large; `nil` for another kind of file.
  private static func contents(of path: String) throws(Errno) -> [UInt8]? {
    // Non-blocking, so that a FIFO in the file's place is refused rather than waited for.
    let file = try FileDescriptor(path: path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
    guard try file.status().st_mode & S_IFMT == S_IFREG else { return nil }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= maximumFileSize {
      let count = unsafe read(file.rawValue, &chunk, chunk.count)
      if count == 0 { break }
      if count > 0 {
        bytes += chunk.prefix(count)
      } else if Errno.current != .interrupted {
        throw Errno.current
      }
    }
    return bytes
  }

  /// A file becomes paths and names, which are C strings: they cannot have a NUL.
  private static var limits: TOMLLimits {
    var limits = TOMLLimits()
    limits.byteCount = maximumFileSize
    limits.allowsNUL = false
    return limits
  }

  /// The beginning of a line, which counts from 1.
  private static func line(_ number: Int, of text: [UInt8]) -> String {
    var start = text.startIndex
    for _ in 1..<max(1, number) {
      guard let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) else { return "" }
      start = end + 1
    }
    return String(decoding: text[start...].prefix(300).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  /// The absolute path of the working directory, "/" where it has none.
  private static func currentFolder() -> String {
    guard let path = unsafe getcwd(nil, 0) else { return "/" }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }
}
