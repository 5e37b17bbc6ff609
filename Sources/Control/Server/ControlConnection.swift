import LinuxIO

/// One client of a control server. Used by the server's thread.
final class ControlConnection {
  /// What a connection is for from now on.
  enum State {
    /// Requests are read.
    case open
    /// A request runs on a thread of its own; what follows waits.
    case calling
    /// Nothing is read any more; it ends when everything is sent.
    case ending
  }

  let socket: FileDescriptor
  var receiver: LineReceiver
  var outgoing: OutgoingBytes
  var state = State.open
  /// Whether the client has closed its writing half.
  var isFinished = false
  /// What the socket is watched for.
  var watched: Epoll.Events = []

  init(_ socket: consuming FileDescriptor, _ limits: ControlServer.Limits) {
    self.socket = socket
    receiver = LineReceiver(limit: limits.lineBytes)
    outgoing = OutgoingBytes(limit: limits.replyBytes)
  }

  /// What it is to be watched for. That both halves are closed is told always.
  var wanted: Epoll.Events {
    var events: Epoll.Events = []
    if state == .open, !isFinished { events.insert(.readable) }
    if !outgoing.isEmpty { events.insert(.writable) }
    return events
  }

  /// Whether there is nothing left to do for it.
  var isOver: Bool { outgoing.isEmpty && (state == .ending || state == .open && isFinished) }
}
