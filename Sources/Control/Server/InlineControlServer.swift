import LinuxIO
import Logging

/// A control server without a thread: it moves only when it is told to, and does also what may take long in its caller's
/// thread. For fuzzing.
///
/// One thread.
package final class InlineControlServer {
  private let loop: ControlServerLoop

  /// A server without clients.
  ///
  /// - Parameters:
  ///   - listener: where clients come from that are not given to `serve`.
  ///   - methods: what they can call.
  ///   - limits: how much of each thing they may have.
  ///   - logger: takes what there is to say.
  /// - Throws: `EMFILE` at the limit of open files.
  package init(
    _ listener: consuming UnixListener, methods: MethodTable, limits: ControlServer.Limits = ControlServer.Limits(),
    logger: Logger
  ) throws(Errno) {
    let resources = try ControlServerResources(listener, stop: try EventFD())
    loop = ControlServerLoop(
      resources, methods: methods, policy: PeerPolicy(), limits: limits, logger: logger, isInline: true)
  }

  /// Serves the client at the other end of a connected socket.
  package func serve(_ socket: consuming FileDescriptor) { loop.admit(socket) }

  /// How many clients there are.
  package var clientCount: Int { loop.clientCount }

  /// How many have been dropped as they did not read their replies.
  package var droppedCount: Int { loop.droppedCount }

  /// Takes what has happened. Never waits.
  ///
  /// - Returns: whether anything had.
  package func turn() -> Bool { loop.turn(timeout: 0) }
}
