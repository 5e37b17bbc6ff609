import Glibc
import LinuxIO
import Storage

/// What an image or block device is good for. It is opened as the daemon would open it, and read; never written.
struct ImageCheck: HostCheck {
  let path: String
  /// How the daemon would open it.
  let options: ImageOptions
  /// Whether it must be opened in that way, as a configuration says so; else other ways are tried, and told.
  let isConfigured: Bool
  /// Whether somebody else may use it.
  let isShared: Bool
  /// Where the kernel tells what block devices can do.
  var devicesFolder = "/sys/dev/block"

  /// Looks at a path with the daemon's default options.
  init(path: String) {
    self.init(path: path, options: ImageOptions(), isConfigured: false, isShared: false)
  }

  /// Looks at what a configuration names.
  init(path: String, configuration: NamespaceConfiguration) {
    let options = ImageOptions(
      readOnly: configuration.isReadOnly,
      logicalBlockSize: LogicalBlockSize(rawValue: configuration.blockSize) ?? .bytes512,
      cache: configuration.cache == .direct ? .direct : .buffered)
    self.init(path: path, options: options, isConfigured: true, isShared: !configuration.lock)
  }

  private init(path: String, options: ImageOptions, isConfigured: Bool, isShared: Bool) {
    self.path = path
    self.options = options
    self.isConfigured = isConfigured
    self.isShared = isShared
  }

  private var texts: StorageFindings { StorageFindings(subject: path) }

  func findings() -> [Finding] {
    var options = options
    // Who else uses it is asked for, so that nobody is kept from it.
    options.lock = false
    var concessions: [Finding] = []
    while true {
      do throws(ImageError) {
        return concessions + findings(of: try DiskImage(path: path, options: options))
      } catch {
        let reason = error.reason
        let text = "\(reason.problem)."
        guard !isConfigured, let concession = ImageCheck.concession(to: reason, options) else {
          return [texts.finding("open", "image", .missing, text, remedy: reason.remedy)]
        }
        concessions.append(
          texts.finding(concession.identifier, concession.title, .limited, text, remedy: reason.remedy))
        options = concession.options
      }
    }
  }

  /// With what the daemon would have to be content; each at most once, so that an end is reached.
  static func concession(
    to reason: ImageError.Reason, _ options: ImageOptions
  ) -> (identifier: String, title: String, options: ImageOptions)? {
    var other = options
    switch reason {
    case .noPermission, .notWritable:
      guard !options.readOnly else { return nil }
      other.readOnly = true
      return ("write", "writing", other)
    case .blockSizeTooSmall(let size, required: let required):
      if size == .bytes512, required <= LogicalBlockSize.bytes4096.rawValue {
        other.logicalBlockSize = .bytes4096
        return ("block_size", "block size", other)
      }
      fallthrough
    case .noDirectIO:
      guard options.cache == .direct else { return nil }
      other.cache = .buffered
      return ("direct", "O_DIRECT", other)
    default: return nil
    }
  }

  // MARK: Of an open image

  private func findings(of image: DiskImage) -> [Finding] {
    let fileSystem = FileSystem(of: image.fileDescriptor)
    var findings = [opened(image, fileSystem)]
    if let unreadable = unreadable(image) { return [unreadable] }
    if image.options.cache == .direct { findings.append(texts.direct(image.alignment)) }
    findings.append(size(image))
    if !image.isBlockDevice, let allocation = allocation(image) { findings.append(allocation) }
    findings.append(user(image))
    guard !image.readOnly else { return findings }
    findings.append(
      texts.flush(image.isBlockDevice ? FileSystem(type: 0) : fileSystem, buffered: image.options.cache == .buffered))
    return findings + (image.isBlockDevice ? deviceAbilities(image) : fileAbilities(image))
  }

  private func opened(_ image: DiskImage, _ fileSystem: FileSystem) -> Finding {
    let kind = image.isBlockDevice ? "block device" : "file on \(fileSystem.name)"
    let access = image.readOnly ? "for reading only" : "for reading and writing"
    return texts.finding("open", "image", .ok, "\(kind), \(approximateSize(image.size)), opens \(access).")
  }

  /// Reads the first block; nil where that works.
  private func unreadable(_ image: DiskImage) -> Finding? {
    let size = image.options.logicalBlockSize.rawValue
    let problem: String
    do throws(Errno) {
      let buffer = try MemoryMapping(anonymous: size)
      let count = unsafe pread(image.fileDescriptor, buffer.base, size, 0)
      if count == size { return nil }
      problem = count < 0 ? Errno.current.description : "\(count) bytes of \(size)"
    } catch { problem = error.description }
    return texts.finding(
      "open", "image", .missing, "its first block cannot be read: \(problem).", remedy: "look into dmesg")
  }

  private func size(_ image: DiskImage) -> Finding {
    let block = image.options.logicalBlockSize.rawValue
    guard image.tailBytes == 0 else {
      return texts.finding(
        "size", "size", .limited,
        "\(image.size) bytes are no multiple of \(block): the last \(image.tailBytes) cannot be reached by guests.",
        remedy: "grow it to a whole block: truncate -s %\(block) IMAGE")
    }
    return texts.finding("size", "size", .ok, "\(image.blockCount) blocks of \(block) bytes.")
  }

  /// How much of a file has its space already, and whether there is space for the rest.
  private func allocation(_ image: DiskImage) -> Finding? {
    var found = stat()
    guard unsafe fstat(image.fileDescriptor, &found) == 0 else { return nil }
    let allocated = UInt64(max(0, found.st_blocks)).multipliedReportingOverflow(by: 512).partialValue
    guard allocated < image.size else {
      return texts.finding("allocation", "space", .ok, "allocated in full.")
    }
    let rest = image.size - allocated
    let state = "sparse: \(approximateSize(allocated)) of \(approximateSize(image.size)) are allocated"
    guard !image.readOnly, let free = FileSystem.freeBytes(image.fileDescriptor) else {
      return texts.finding("allocation", "space", .ok, "\(state).")
    }
    guard free < rest else {
      return texts.finding("allocation", "space", .ok, "\(state), and \(approximateSize(free)) are free for the rest.")
    }
    return texts.finding(
      "allocation", "space", .limited,
      "\(state), and only \(approximateSize(free)) are free: when they are used up, guests' writes fail.",
      remedy: "make room, or move the image")
  }

  private func user(_ image: DiskImage) -> Finding {
    guard let reason = image.excludedBy() else {
      return texts.finding("lock", "lock", .ok, "nobody else has it open in a way that excludes nvmed.")
    }
    if isShared {
      return texts.finding("lock", "lock", .ok, "\(reason.problem); lock = false does not care.")
    }
    guard case .lockFailed = reason else {
      return texts.finding(
        "lock", "lock", .limited, "\(reason.problem): nvmed would not open it as long as that lasts.",
        remedy: "nothing, if that is the nvmed that is meant to serve it; else \(reason.remedy ?? "")")
    }
    return texts.finding(
      "lock", "lock", isConfigured ? .missing : .limited, "\(reason.problem).", remedy: reason.remedy)
  }

  // MARK: What cannot be tried on the image itself

  /// Tried on another file of the same file system.
  private func fileAbilities(_ image: DiskImage) -> [Finding] {
    var folder = "."
    if let slash = path.lastIndex(of: "/") { folder = slash == path.startIndex ? "/" : String(path[..<slash]) }
    do throws(Errno) {
      let file = try TrialFile(in: folder)
      // A bind mount or a symbolic link may bring the image from elsewhere.
      guard try file.device() == image.identity.device else { throw Errno(rawValue: EXDEV) }
      return texts.trial(file)
    } catch {
      return [
        texts.finding(
          "discard", "discard", .limited,
          "not tried, as no file of its own can be made beside the image (\(error)). Deallocation and write zeroes work "
            + "as well as the file system lets them.",
          remedy: "to know, look at a folder of the same file system: nvmed doctor FOLDER")
      ]
    }
  }

  /// Told by the kernel: trying would change what is on the device.
  private func deviceAbilities(_ image: DiskImage) -> [Finding] {
    // gnu_dev_makedev(3)
    let number = image.identity.device
    let major = number >> 8 & 0xFFF | number >> 32 & 0xFFFF_F000
    let minor = number & 0xFF | number >> 12 & 0xFFFF_FF00
    let device = "\(devicesFolder)/\(major):\(minor)"
    func limit(_ name: String) -> UInt64? {
      // A partition has no queue of its own.
      SystemFile.number("\(device)/queue/\(name)") ?? SystemFile.number("\(device)/../queue/\(name)")
    }
    let discards = limit("discard_max_bytes") ?? 0 > 0
    let zeroes = limit("write_zeroes_max_bytes") ?? 0 > 0
    return [
      texts.finding(
        "discard", "discard", discards ? .ok : .limited,
        discards
          ? "what guests deallocate is given back to the device."
          : "the device takes none: guests may deallocate, and nothing is given back.",
        remedy: discards
          ? nil : "where a layer between (dm-crypt, MD) does not pass discards, let it (--allow-discards)"),
      texts.finding(
        "write_zeroes", "write zeroes", zeroes ? .ok : .limited,
        zeroes ? "by the device, without sending zeros." : "zeros are sent to the device.",
        remedy: zeroes ? nil : "for guests that zero a lot, use a device that does it by itself (NVMe)"),
    ]
  }
}
