/// What a controller has to say to an operator. A guest can cause all of it at will: who logs it limits the rate.
public enum ControllerReport: Sendable {
  /// A command failed.
  case commandFailed(ErrorLog.Entry)
  /// A doorbell of this queue identifier got a value that it cannot have, or belongs to no queue.
  case invalidDoorbell(queue: UInt16)
  /// The guest's driver keeps its doorbells in guest memory (Doorbell Buffer Config).
  case usesShadowDoorbells
  /// A traced doorbell was signalled without a value. The controller fails for it.
  case doorbellsLost
  /// The client had one of its eventfds hold up a thread, which serves others as well. The controller fails for it.
  case stalled
  /// The host has shut down, and not all that was acknowledged could be made durable.
  case shutdownNotDurable
  /// CSTS.CFS is set, for this reason.
  case failed(String)
}
