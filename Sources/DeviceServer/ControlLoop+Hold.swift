import LinuxIO
import VFIOUser

/// Messages that are answered when their effects are there.
extension ControlLoop {
  /// Begins the effects of a message, and answers it when they are there.
  func hold(_ begin: (@escaping () -> Void) -> Void, reply: @escaping () -> Reply) {
    begin(beginHold(reply))
  }

  /// Notes that a message waits for its effects.
  ///
  /// - Parameter isLimited: whether it is answered as busy after a while.
  /// - Returns: to be called when they are there.
  func beginHold(isLimited: Bool = true, _ reply: @escaping () -> Reply) -> () -> Void {
    let number = nextHold
    nextHold += 1
    let limit = isLimited ? holdLimit : nil
    heldMessage = Hold(number: number, deadline: limit.map { Clock.monotonic + $0 } ?? UInt64.max)
    return { [self] in
      guard heldMessage?.number == number else { return }
      heldMessage = nil
      guard state == .serving else { return }
      connection?.reply(reply())
      updateWatch()
    }
  }

  /// Answers a message that commands in flight have kept waiting for too long. What it asks for is done when they end.
  func giveUpHold() {
    heldMessage = nil
    guard state == .serving else { return }
    let number = connection?.header.commandNumber ?? 0
    log.log(
      .warning,
      "the storage does not answer: a message of the client that waits for commands in flight is refused as busy",
      ["message_number": "\(number)"])
    device?.finishFunctionReset()
    connection?.reply(.error(.busy))
    updateWatch()
  }
}
