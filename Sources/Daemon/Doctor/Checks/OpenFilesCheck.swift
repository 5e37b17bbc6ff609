import LinuxIO

/// Whether the limit of open files is enough for the controllers that are wanted.
struct OpenFilesCheck: HostCheck {
  /// Controllers that are wanted.
  let controllers: Int
  /// Descriptors that all of them need, at most.
  let needed: UInt64
  /// Descriptors that the largest of them needs, at most.
  let neededByOne: UInt64
  /// The hard limit of this process, which the daemon raises its own to; nil where it is not known.
  var limit: UInt64? = OpenFileLimit.hard

  /// What the daemon needs besides its controllers: the log, signals, and a dozen for each of some I/O threads.
  private static let process: UInt64 = 64

  /// Counts what a configuration needs.
  init(_ configuration: DaemonConfiguration) {
    let each = configuration.controllers.map {
      OpenFilesCheck.descriptors($0, ioThreads: configuration.ioThreads)
    }
    controllers = each.count
    neededByOne = each.max() ?? OpenFilesCheck.descriptors(ControllerConfiguration(name: ""), ioThreads: 1)
    needed = each.reduce(OpenFilesCheck.process + 12 * UInt64(max(configuration.ioThreads, 1))) { $0 + $1 }
  }

  /// Descriptors of one controller: its images, an eventfd for each MSI-X vector, two for the doorbells of each I/O
  /// thread and of the admin queue, its control thread's (listener, client, epoll, eventfds), and those of one message
  /// that is just being looked at.
  private static func descriptors(_ controller: ControllerConfiguration, ioThreads: Int) -> UInt64 {
    UInt64(max(controller.namespaces.count + controller.ioQueues + 1 + 2 * (ioThreads + 1) + 16 + 64, 0))
  }

  func findings() -> [Finding] {
    let (identifier, title) = ("limits.open_files", "open files")
    guard let limit else {
      return [Finding(identifier, title, .limited, "the limit of this process cannot be found out.")]
    }
    guard limit != .max else { return [Finding(identifier, title, .ok, "without limit.")] }
    let room = limit > OpenFilesCheck.process ? limit - OpenFilesCheck.process : 0
    let state =
      "the hard limit is \(limit), which nvmed raises its own to. A controller takes up to \(neededByOne): about "
      + "\(room / max(neededByOne, 1)) fit; wanted: \(controllers)."
    guard needed > limit else { return [Finding(identifier, title, .ok, state)] }
    return [
      Finding(
        identifier, title, .limited,
        state + " At the limit clients are refused, or lose interrupts and memory that they hand over.",
        remedy: "LimitNOFILE=\(2 * needed) in the systemd unit, or ulimit -Hn \(2 * needed)")
    ]
  }
}
