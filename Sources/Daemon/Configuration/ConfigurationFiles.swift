import Glibc
import LinuxIO
import Storage
import TOML

/// What only this host shows: images that are not there or are the same under two names, and folders of sockets.
///
/// Nothing is opened, so that a daemon that serves the images notices nothing.
struct ConfigurationFiles {
  private let file: String?
  /// What is wrong. A path that was refused for its text is not complained about again.
  private(set) var errors: [ConfigurationError] = []

  init(
    file: String?, daemon: ReadTable<DaemonConfiguration>, metrics: ReadTable<DaemonConfiguration>,
    controllers: [ReadController]
  ) {
    self.file = file
    checkImages(controllers)
    checkSockets(daemon, metrics, controllers)
  }

  private mutating func report(_ keyPath: String, at position: SourcePosition?, _ message: String) {
    errors.append(ConfigurationError(file: file, position: position, keyPath: keyPath, message: message))
  }

  /// A path that exists, or that somebody looks for: as a whole.
  private static func name(_ path: String) -> String { quoted(path, limit: 400) }

  // MARK: Images

  private struct Use {
    let path: String
    let owner: String
    let line: String
    let isReadOnly: Bool
  }

  private mutating func checkImages(_ controllers: [ReadController]) {
    var first: [ImageIdentity: Use] = [:]
    for controller in controllers {
      for (index, namespace) in controller.namespaces.enumerated() {
        let model = namespace.model
        guard model.backend == .file, model.inheritedImage == nil, let path = model.imagePath,
          namespace.refused.isDisjoint(with: ["backend", "image"])
        else { continue }
        let position = namespace.position(of: "image")
        let options = ImageOptions(
          readOnly: model.isReadOnly, logicalBlockSize: LogicalBlockSize(rawValue: model.blockSize) ?? .bytes512)
        let identity: ImageIdentity
        do throws(ImageError) { identity = try DiskImage.look(at: path, options: options) } catch {
          report(
            "controller.namespace.image", at: position,
            "\(ConfigurationFiles.name(path)) \(ConfigurationFiles.words(error.reason))")
          continue
        }
        let use = Use(
          path: path, owner: "namespace \(index + 1) of controller \(quoted(controller.table.model.name))",
          line: position.map { " in line \($0.line)" } ?? "", isReadOnly: model.isReadOnly)
        guard let other = first[identity] else {
          first[identity] = use
          continue
        }
        // One path twice is found in the text.
        guard other.path != path, !(other.isReadOnly && use.isReadOnly) else { continue }
        report(
          "controller.namespace.image", at: position,
          "\(ConfigurationFiles.name(path)) is the same file as \(ConfigurationFiles.name(other.path)) of \(other.owner)\(other.line); "
            + "use another image, or write read_only = true in both")
      }
    }
  }

  /// The reason as the rest of a sentence that begins with the path.
  private static func words(_ reason: ImageError.Reason) -> String {
    if case .systemCall(_, let error) = reason {
      switch error.rawValue {
      case ELOOP: return "is a symbolic link that leads back to itself; correct the path"
      case ENAMETOOLONG: return "has a part of more than 255 bytes; correct the path"
      default: break
      }
    }
    let problem =
      switch reason {
      case .missing: "does not exist"
      case .noPermission: "must not be opened by this user"
      case .notWritable: "is on a read-only filesystem"
      default: reason.problem
      }
    return reason.remedy.map { "\(problem); \($0)" } ?? problem
  }

  // MARK: Sockets

  private mutating func checkSockets(
    _ daemon: ReadTable<DaemonConfiguration>, _ metrics: ReadTable<DaemonConfiguration>, _ controllers: [ReadController]
  ) {
    var first: [SocketPlace: (path: String, owner: String)] = [:]
    if let path = daemon.model.controlSocket, !daemon.refused.contains("control_socket") {
      let position = daemon.position(of: "control_socket")
      checkSocket(path, "daemon.control_socket", at: position, owner: "the control socket", &first)
    }
    if let path = metrics.model.metricsAddress?.path {
      let position = metrics.position(of: "listen")
      checkSocket(path, "metrics.listen", at: position, owner: "the socket of the metrics", &first)
    }
    for controller in controllers {
      let table = controller.table
      guard table.model.inheritedSocket == nil, let path = table.model.socketPath, !table.refused.contains("socket")
      else { continue }
      let owner = "controller \(quoted(table.model.name))"
      checkSocket(path, "controller.socket", at: table.position(of: "socket"), owner: owner, &first)
    }
  }

  private mutating func checkSocket(
    _ path: String, _ key: String, at position: SourcePosition?, owner: String,
    _ first: inout [SocketPlace: (path: String, owner: String)]
  ) {
    let place: SocketPlace
    do throws(ValueProblem) { place = try SocketPlace(path: path) } catch {
      report(key, at: position, "\(ConfigurationFiles.name(path)) \(error.text)")
      return
    }
    guard let other = first[place] else {
      first[place] = (path, owner + (position.map { " in line \($0.line)" } ?? ""))
      return
    }
    guard other.path != path else { return }
    report(
      key, at: position,
      "\(ConfigurationFiles.name(path)) is the same as \(ConfigurationFiles.name(other.path)) of \(other.owner); "
        + "write a different path for each socket")
  }

  /// A name in a folder, whatever path leads there.
  private struct SocketPlace: Hashable {
    let folder: ImageIdentity
    let name: Substring

    /// - Throws: why no socket can be made there, as the rest of a sentence that begins with the path.
    init(path: String) throws(ValueProblem) {
      let slash = path.lastIndex(of: "/") ?? path.startIndex
      let folder = slash == path.startIndex ? "/" : String(path[..<slash])
      var found = stat()
      guard unsafe stat(folder, &found) == 0 else {
        let error = Errno.current
        guard error == .noSuchFile else {
          throw ValueProblem("is in a folder that cannot be reached: \(error); correct the path or its rights")
        }
        throw ValueProblem("is in a folder that does not exist; mkdir -p \(printable(folder, limit: 400))")
      }
      guard found.st_mode & S_IFMT == S_IFDIR else {
        throw ValueProblem("is in \(ConfigurationFiles.name(folder)), which is no folder; correct the path")
      }
      self.folder = ImageIdentity(of: found)
      name = path[path.index(after: slash)...]

      var there = stat()
      if unsafe lstat(path, &there) == 0, there.st_mode & S_IFMT != S_IFSOCK {
        throw ValueProblem("is there and is no socket; choose another path, or remove it")
      }
      guard unsafe faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 else {
        throw ValueProblem(
          Errno.current == .readOnlyFileSystem
            ? "is on a read-only filesystem; choose another path"
            : "is in a folder that this user must not write to; give it the right, or choose another path")
      }
    }
  }
}
