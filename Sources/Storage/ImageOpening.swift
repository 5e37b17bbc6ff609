import CLinux
import Glibc
import LinuxIO

/// The steps by which a disk image is opened and examined.
enum ImageOpening {
  /// What was learned of an open image.
  struct Facts {
    let isBlockDevice: Bool
    let identity: ImageIdentity
    let size: UInt64
    let alignment: DirectAlignment
    let allocationUnit: Int
  }

  /// Opens the file at `path` as `options` ask.
  static func open(path: String, options: ImageOptions) throws(ImageError) -> FileDescriptor {
    func failure(_ reason: ImageError.Reason) -> ImageError { ImageError(path: path, reason: reason) }

    // Looked at before it is opened: opening a pipe blocks, opening some character devices acts.
    var found = stat()
    guard unsafe stat(path, &found) == 0 else {
      throw failure(reason(Errno.current, "stat", options))
    }
    let isBlockDevice = try kind(found.st_mode, name: path)

    var flags = options.readOnly ? O_RDONLY : O_RDWR
    if options.cache == .direct { flags |= Int32(CLINUX_O_DIRECT) }
    // Refuses devices that are mounted or part of something else. Readers may share one, so they cannot ask for it.
    if isBlockDevice, options.lock, !options.readOnly { flags |= O_EXCL }
    do {
      return try FileDescriptor(path: path, flags: flags)
    } catch {
      if error == .invalidArgument, options.cache == .direct { throw failure(.noDirectIO) }
      if isBlockDevice, options.lock, ImageClaims.isClaimed(ImageIdentity(of: found)) { throw failure(.usedTwice) }
      throw failure(reason(error, "open", options))
    }
  }

  /// Checks an inherited descriptor and sets its flags.
  static func adopt(_ fd: Int32, name: String, options: ImageOptions) throws(ImageError) {
    func failure(_ reason: ImageError.Reason) -> ImageError { ImageError(path: name, reason: reason) }

    let flags = fcntl(fd, F_GETFL)
    guard flags != -1 else { throw failure(.systemCall("fcntl(F_GETFL)", Errno.current)) }
    let mode = flags & O_ACCMODE
    if flags & Int32(CLINUX_O_PATH) != 0 || mode == O_WRONLY {
      throw failure(.descriptorMode(needsWriting: !options.readOnly))
    }
    if !options.readOnly, mode != O_RDWR { throw failure(.descriptorMode(needsWriting: true)) }

    var found = stat()
    guard unsafe fstat(fd, &found) == 0 else { throw failure(.systemCall("fstat", Errno.current)) }
    _ = try kind(found.st_mode, name: name)

    // With O_APPEND every write would go to the end of the file, whatever its offset.
    var wanted = flags & ~(O_APPEND | Int32(CLINUX_O_DIRECT))
    if options.cache == .direct { wanted |= Int32(CLINUX_O_DIRECT) }
    if wanted != flags, fcntl(fd, F_SETFL, wanted) == -1 {
      let error = Errno.current
      throw failure(
        error == .invalidArgument && options.cache == .direct
          ? .noDirectIO : .systemCall("fcntl(F_SETFL)", error))
    }
    _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
  }

  /// Claims and locks an open image and learns what it is. Where `options` ask for a lock, the caller has to give up the
  /// claim (`ImageClaims.release`).
  static func examine(_ fd: Int32, name: String, options: ImageOptions) throws(ImageError) -> Facts {
    guard options.lock else { return try examineClaimed(fd, name: name, options: options) }
    // Before the lock, which a namespace of this process may be holding too.
    var found = stat()
    guard unsafe fstat(fd, &found) == 0 else {
      throw ImageError(path: name, reason: .systemCall("fstat", Errno.current))
    }
    let identity = ImageIdentity(of: found)
    guard ImageClaims.claim(identity, readOnly: options.readOnly) else {
      throw ImageError(path: name, reason: .usedTwice)
    }
    do throws(ImageError) { return try examineClaimed(fd, name: name, options: options) } catch {
      ImageClaims.release(identity, readOnly: options.readOnly)
      throw error
    }
  }

  private static func examineClaimed(_ fd: Int32, name: String, options: ImageOptions) throws(ImageError) -> Facts {
    func failure(_ reason: ImageError.Reason) -> ImageError { ImageError(path: name, reason: reason) }

    var found = stat()
    guard unsafe fstat(fd, &found) == 0 else { throw failure(.systemCall("fstat", Errno.current)) }
    // Again, of the open file: the path may lead elsewhere by now.
    let isBlockDevice = try kind(found.st_mode, name: name)
    if isBlockDevice, !options.readOnly, isReadOnlyDevice(fd) { throw failure(.notWritable) }

    if options.lock {
      do {
        try ImageLock.acquire(fd: fd, readOnly: options.readOnly)
      } catch {
        switch error {
        case .held: throw failure(.locked(readOnly: options.readOnly))
        case .failed(let error): throw failure(.lockFailed(error))
        }
      }
    }

    let size = try size(fd, isBlockDevice: isBlockDevice, name: name)
    let blockSize = options.logicalBlockSize
    if size < UInt64(blockSize.rawValue) { throw failure(.tooSmall(size: size, blockSize: blockSize)) }

    var alignment = DirectAlignment.none
    if options.cache == .direct {
      guard let asked = DirectAlignment.of(fd: fd, isBlockDevice: isBlockDevice, size: size) else {
        throw failure(.noDirectIO)
      }
      alignment = asked
      if let problem = problem(blockSize, on: alignment) { throw failure(problem) }
    }
    let identity = ImageIdentity(of: found)
    let unit = isBlockDevice ? DirectAlignment.sectorSize(fd: fd) ?? 512 : Int(found.st_blksize)
    return Facts(
      isBlockDevice: isBlockDevice, identity: identity, size: size, alignment: alignment,
      allocationUnit: max(unit, blockSize.rawValue))
  }

  /// Why blocks of that size cannot be transferred with that alignment; nil where they can.
  static func problem(_ blockSize: LogicalBlockSize, on alignment: DirectAlignment) -> ImageError.Reason? {
    // Blocks bounce through pages where the guest's memory is not aligned; a page must be enough.
    let required = max(alignment.offset, alignment.memory > 4096 ? alignment.memory : 1)
    return blockSize.rawValue % required == 0 ? nil : .blockSizeTooSmall(blockSize, required: required)
  }

  /// The length of an open image in bytes.
  static func size(_ fd: Int32, isBlockDevice: Bool, name: String) throws(ImageError) -> UInt64 {
    if isBlockDevice {
      var bytes: UInt64 = 0
      guard unsafe ioctl(fd, UInt(CLINUX_BLKGETSIZE64), &bytes) == 0 else {
        throw ImageError(path: name, reason: .systemCall("ioctl(BLKGETSIZE64)", Errno.current))
      }
      return min(bytes, UInt64(Int64.max))
    }
    var found = stat()
    guard unsafe fstat(fd, &found) == 0 else {
      throw ImageError(path: name, reason: .systemCall("fstat", Errno.current))
    }
    return UInt64(max(0, found.st_size))
  }

  /// Whether the mode is that of a block device, and not of a file.
  static func kind(_ mode: mode_t, name: String) throws(ImageError) -> Bool {
    let other: String
    switch mode & S_IFMT {
    case S_IFBLK: return true
    case S_IFREG: return false
    case S_IFDIR: other = "a directory"
    case S_IFCHR: other = "a character device"
    case S_IFIFO: other = "a pipe"
    case S_IFSOCK: other = "a socket"
    default: other = "no file"
    }
    throw ImageError(path: name, reason: .notAnImage(other))
  }

  private static func isReadOnlyDevice(_ fd: Int32) -> Bool {
    var readOnly: Int32 = 0
    return unsafe ioctl(fd, UInt(CLINUX_BLKROGET), &readOnly) == 0 && readOnly != 0
  }

  /// The reason that an error of a system call stands for.
  static func reason(_ error: Errno, _ call: String, _ options: ImageOptions) -> ImageError.Reason {
    switch error {
    case .noSuchFile, Errno(rawValue: ENOTDIR): .missing
    case .accessDenied, .notPermitted: .noPermission(readOnly: options.readOnly)
    case .readOnlyFileSystem: .notWritable
    case .busy: .deviceBusy
    default: .systemCall(call, error)
    }
  }
}
