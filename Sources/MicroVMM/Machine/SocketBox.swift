import LinuxIO

/// Carries a socket to the vCPU's thread.
final class SocketBox: Sendable {
  private let socket: Locked<FileDescriptor?>

  /// A box with a socket.
  init(_ socket: consuming FileDescriptor) { self.socket = Locked(socket) }

  /// Takes the socket out; nil where it was taken.
  func take() -> FileDescriptor? { socket.withLock { $0.take() } }
}
