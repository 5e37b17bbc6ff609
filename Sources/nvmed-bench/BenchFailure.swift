import NVMeHost

/// An error with its text, for the command line.
struct BenchFailure: Error, CustomStringConvertible {
  let description: String

  init(_ error: HostError, socket: String) {
    let text =
      switch error {
      case .message(let errno): "the server answered, or its socket gave: \(errno)"
      case .disconnected: "the connection is closed"
      case .system(let errno): "\(errno)"
      case .timedOut(let what): "timed out waiting for \(what)"
      case .interruptMissing(let queue): "queue \(queue): a completion came without its interrupt"
      case .controllerFailed(let status): "the controller failed: CSTS \(String(status.rawValue, radix: 16))h"
      case .failed(let status): "a command failed: \(status)"
      case .queueFull: "the submission queue is full"
      case .outOfMemory: "the guest memory is too small"
      case .missing(let what): "not there: \(what)"
      case .invalidArgument(let what): what
      }
    description = "\(socket): \(text)"
  }
}
