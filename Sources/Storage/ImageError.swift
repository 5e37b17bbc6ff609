import LinuxIO

/// Why a disk image cannot be used: one sentence that names it, says what is wrong and what to do.
public struct ImageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The path, or the name given with an inherited descriptor.
  public let path: String
  /// What is wrong.
  public let reason: Reason

  /// Makes an error of its parts.
  public init(path: String, reason: Reason) {
    self.path = path
    self.reason = reason
  }

  /// What is wrong with the image.
  public enum Reason: Equatable, Sendable {
    /// There is no such file.
    case missing
    /// The daemon's user may not open it.
    case noPermission(readOnly: Bool)
    /// It is on a read-only filesystem, or a read-only block device.
    case notWritable
    /// It is a directory, socket, pipe or character device.
    case notAnImage(String)
    /// It is shorter than one logical block.
    case tooSmall(size: UInt64, blockSize: LogicalBlockSize)
    /// Direct I/O on it needs larger blocks than asked for.
    case blockSizeTooSmall(LogicalBlockSize, required: Int)
    /// Its filesystem has no direct I/O.
    case noDirectIO
    /// Another process has locked it.
    case locked(readOnly: Bool)
    /// Another namespace of this process has it, by a descriptor of the same opening.
    case usedTwice
    /// It cannot be locked at all.
    case lockFailed(Errno)
    /// A block device that is mounted, or claimed by another process.
    case deviceBusy
    /// An inherited descriptor that cannot be read, or not be written to.
    case descriptorMode(needsWriting: Bool)
    /// A system call failed.
    case systemCall(String, Errno)
  }

  /// One sentence: the path, what is wrong, what to do.
  public var description: String {
    guard let remedy = reason.remedy else { return "\(path): \(reason.problem)" }
    return "\(path): \(reason.problem); \(remedy)"
  }
}

extension ImageError.Reason {
  /// What is wrong, as the rest of a sentence that begins with the path.
  public var problem: String { words.problem }

  /// What to do, as the rest of a sentence; nil where only the error is known.
  public var remedy: String? { words.remedy }

  private var words: (problem: String, remedy: String?) {
    switch self {
    case .missing:
      ("no such file", "create it (for example: truncate -s 10G IMAGE) or correct the path")
    case .noPermission(let readOnly):
      (
        "permission denied",
        readOnly
          ? "give the daemon's user the right to read it"
          : "give the daemon's user the right to read and write it, or set read_only = true"
      )
    case .notWritable:
      ("the filesystem or the device is read-only", "set read_only = true, or make it writable")
    case .notAnImage(let kind):
      ("is \(kind)", "a raw image file or a block device is needed")
    case .tooSmall(let size, let blockSize):
      ("is \(size) bytes long, less than one block of \(blockSize.rawValue)", "grow it (truncate -s SIZE IMAGE)")
    case .blockSizeTooSmall(let blockSize, let required):
      if required <= LogicalBlockSize.bytes4096.rawValue {
        (
          "direct I/O needs blocks of \(required) bytes here and block_size is \(blockSize.rawValue)",
          "set block_size = 4096, or cache = \"buffered\""
        )
      } else {
        (
          "direct I/O needs blocks of \(required) bytes here, which no namespace can have",
          "set cache = \"buffered\""
        )
      }
    case .noDirectIO:
      (
        "the filesystem has no direct I/O (O_DIRECT)",
        "set cache = \"buffered\", or move the image to another filesystem"
      )
    case .locked(let readOnly):
      readOnly
        ? (
          "is being written to by another process (nvmed, QEMU or another VMM)",
          "stop it, or let it open it read-only"
        )
        : (
          "is in use by another process (nvmed, QEMU or another VMM)",
          "stop it, or set read_only = true for all users"
        )
    case .usedTwice:
      ("is the image of another namespace already", "use another image, or open it twice read-only")
    case .lockFailed(let error):
      ("cannot be locked (\(error))", "set lock = false if nobody else can open it for writing")
    case .deviceBusy:
      ("is mounted or claimed by another process", "unmount it, or stop that process")
    case .descriptorMode(let needsWriting):
      needsWriting
        ? (
          "the inherited descriptor is not open for reading and writing",
          "open it O_RDWR, or set read_only = true"
        )
        : ("the inherited descriptor is not open for reading", "open it O_RDONLY or O_RDWR")
    case .systemCall(let call, let error):
      ("\(call) failed: \(error)", nil)
    }
  }
}
