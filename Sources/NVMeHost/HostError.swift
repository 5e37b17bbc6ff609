import LinuxIO
import NVMeSpec

/// Why something that the host asked for was not done.
///
/// The status of a command is not among these where a caller gets the whole completion.
public enum HostError: Error, Equatable, Sendable {
  /// A vfio-user message failed: with the error that the server answered; or the connection did, with `EPROTO`,
  /// `ETIMEDOUT`, `ECONNRESET` or what the socket said.
  case message(Errno)
  /// The connection was closed by this side.
  case disconnected
  /// A system call of the host failed.
  case system(Errno)
  /// Nothing came within the time-out; the text says what was waited for.
  case timedOut(String)
  /// A completion was posted on this queue, but its interrupt did not come within the time-out.
  case interruptMissing(queue: UInt16)
  /// CSTS.CFS is set, or the register reads all ones.
  case controllerFailed(ControllerStatus)
  /// A command that had to succeed did not.
  case failed(Status)
  /// The submission queue has no free entry, or every command identifier is in use.
  case queueFull
  /// The guest memory has no free range of that size.
  case outOfMemory
  /// The server or the controller does not have what is asked for; the text says what.
  case missing(String)
  /// Arguments that make no sense together; the text says why.
  case invalidArgument(String)
}

/// Makes the error of a system call one of the host.
func system<Result: ~Copyable>(_ call: () throws(Errno) -> Result) throws(HostError) -> Result {
  do throws(Errno) { return try call() } catch { throw .system(error) }
}
