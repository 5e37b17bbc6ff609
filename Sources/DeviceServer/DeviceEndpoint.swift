import LinuxIO

/// Where a device server gets its clients from.
public enum DeviceEndpoint: ~Copyable, Sendable {
  /// A listening socket: one client at a time, the next after it.
  case listener(UnixListener)
  /// A socket that is connected already: the server ends with it.
  case connected(FileDescriptor)
}
