import Logging
import NVMeController

/// What a controller has to tell, as lines of the log.
extension ControlLoop {
  func log(_ report: ControllerReport) {
    switch report {
    case .commandFailed(let entry):
      log.log(
        .notice, "a command failed",
        [
          "status": "\(entry.status)", "queue": "\(entry.submissionQueue)", "command": "\(entry.command)",
          "nsid": "\(entry.namespaceIdentifier)", "lba": "\(entry.slba)",
        ])
    case .invalidDoorbell(let queue):
      log.log(.notice, "the guest wrote an invalid doorbell", ["queue": "\(queue)"])
    case .usesShadowDoorbells: log.log(.info, "the guest keeps its doorbells in its memory")
    case .doorbellsLost:
      // The VMM of this client keeps its ioeventfds; the next client is not led into the same.
      if case .automatic = postWrite { postWrite = .byClient } else { postWrite = .none }
      log.log(
        .error,
        "the monitor does not say where the guest's BAR0 is, and doorbells by eBPF are lost; they are not offered again: restart the virtual machine, and set post_write = \"off\""
      )
    case .stalled: isDismissed = true
    case .shutdownNotDurable:
      log.log(.error, "a shutdown cannot make durable all that was acknowledged: an image cannot be flushed")
    case .failed(let reason): log.log(.error, "the controller failed: \(reason)")
    }
  }
}
