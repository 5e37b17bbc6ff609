import Glibc
import LinuxIO

/// The journal's socket for entries with fields. Any thread.
final class JournalSocket: Sendable {
  /// Where the journal listens.
  static let path = "/run/systemd/journal/socket"

  private struct State: ~Copyable {
    var socket: FileDescriptor
    /// Entries that were not taken since the last one that was.
    var lost: UInt64 = 0
  }

  private let path: String
  private let state: Locked<State>

  /// Connects.
  ///
  /// - Throws: the `errno` of `connect(2)`: `ENOENT` where there is no journal.
  init(path: String = JournalSocket.path) throws(Errno) {
    self.path = path
    state = Locked(State(socket: try UnixSocket.connectDatagram(path: path)))
  }

  /// Sends an entry. Where the journal has no room it is lost and counted: nobody waits for a log line.
  ///
  /// - Returns: false where nobody is there to take it.
  func send(_ record: LogRecord) -> Bool {
    state.withLock { state in
      let bytes = JournalMessage.bytes(record, lost: state.lost)
      do throws(Errno) {
        do throws(Errno) {
          try JournalSocket.send(bytes, state.socket.rawValue)
        } catch Errno.connectionRefused {
          // The journal was started again.
          state.socket = try UnixSocket.connectDatagram(path: path)
          try JournalSocket.send(bytes, state.socket.rawValue)
        }
        state.lost = 0
        return true
      } catch {
        state.lost += 1
        return error == .wouldBlock
      }
    }
  }

  /// Sends an entry as a datagram, or, where it is too large for one, as a memfd.
  private static func send(_ bytes: [UInt8], _ socket: Int32) throws(Errno) {
    do throws(Errno) {
      _ = try UnixSocket.send(socket, bytes.span, wait: false)
    } catch {
      guard error.rawValue == EMSGSIZE || error.rawValue == ENOBUFS else { throw error }
      let memory = try SharedMemory.sealed(bytes.span, name: "nvmed-log")
      _ = try UnixSocket.send(socket, Span(), descriptors: [memory.rawValue], wait: false)
    }
  }
}
