import Glibc
import LinuxIO
import NVMeController
import VFIOUser

/// A client, from the listening socket to the end of all that it had in flight.
extension ControlLoop {
  func accept() {
    // Who connects at the end of another client, as a machine that starts anew, is the next and not the second.
    if state == .ending || state == .serving && isClientGone { return stopListening(.nothing) }
    let accepted: FileDescriptor?
    do throws(Errno) {
      accepted = try listener?.accept()
    } catch {
      log.log(.error, "a client cannot be accepted: \(error)")
      return retry(after: ControlLoop.retryInterval)
    }
    guard let socket = accepted else { return }
    guard state == .idle, !isStopping else {
      // The socket is closed at the end of this scope, which the second client sees as the end of the connection.
      counters.refuse()
      log.log(.warning, "a second client was refused: the controller has one")
      return
    }
    do throws(Errno) {
      try begin(socket)
    } catch {
      log.log(.error, "a client cannot be served: \(error)")
      if state == .serving { end("it could not begin") }
    }
  }

  /// Whether the client has closed its end, also where that was not received yet.
  var isClientGone: Bool {
    guard let descriptor = connection?.descriptor else { return true }
    return UnixSocket.isPeerClosed(descriptor)
  }

  private func stopListening(_ listening: Listening) {
    if let descriptor = listener?.descriptor.rawValue { epoll.remove(descriptor) }
    self.listening = listening
  }

  /// Waits for clients after so many ms.
  func retry(after milliseconds: UInt64) {
    stopListening(.retry)
    retryTime = Clock.monotonic + milliseconds * 1_000_000
  }

  func listen() {
    guard let descriptor = listener?.descriptor.rawValue, listening != .clients else { return }
    do throws(Errno) {
      try epoll.add(descriptor, .readable, token: Source.listener.rawValue)
      listening = .clients
    } catch {
      log.log(.error, "clients cannot be waited for: \(error)")
      retry(after: ControlLoop.retryInterval)
    }
  }

  func begin(_ socket: consuming FileDescriptor) throws(Errno) {
    let device = try Device(options, pool: pool)
    self.device = device
    counters.begin(device.controller.counters)
    let process = ControlLoop.process(behind: socket.rawValue)
    client = process > 0 ? process : nil
    connection = ServerConnection(socket)
    state = .serving
    heldMessage = nil
    isDismissed = false
    watched = nil
    let controller = device.controller
    controller.report = { [unowned self] report in log(report) }
    device.warn = { [unowned self] reason in log.log(.warning, "\(reason)") }
    device.stalled = { [unowned self] in isDismissed = true }
    try epoll.add(controller.mailbox.descriptor, .readable, token: Source.mailbox.rawValue)
    try epoll.add(controller.adminEvents.submission.rawValue, .readable, token: Source.adminSubmission.rawValue)
    try epoll.add(controller.adminEvents.completion.rawValue, .readable, token: Source.adminCompletion.rawValue)
    try epoll.add(controller.workCompletions.eventFD, .readable, token: Source.work.rawValue)
    try epoll.add(device.memory.faultEvent.rawValue, .readable, token: Source.fault.rawValue)
    try watchConnection()
    log.log(.info, "client connected")
  }

  /// Watches the connection for what is due: commands unless one is held, and room for replies that wait.
  private func watchConnection() throws(Errno) {
    guard let descriptor = connection?.descriptor else { return }
    let wantsWrite = connection?.wantsWrite == true
    var wanted: Epoll.Events? = nil
    if heldMessage == nil { wanted = [.readable] }
    if wantsWrite { wanted = (wanted ?? []).union(.writable) }
    guard wanted != watched else { return }
    // A connection that is watched for nothing would still report its end, over and over.
    if let wanted {
      if watched == nil {
        try epoll.add(descriptor, wanted, token: Source.connection.rawValue)
      } else {
        try epoll.modify(descriptor, wanted, token: Source.connection.rawValue)
      }
    } else {
      epoll.remove(descriptor)
    }
    watched = wanted
  }

  func updateWatch() {
    do throws(Errno) { try watchConnection() } catch {
      log.log(.error, "the connection cannot be watched: \(error)")
      end("epoll failed")
    }
  }

  /// The client goes, or is sent away: in-flight I/O is awaited, its memory unmapped, its eventfds closed.
  func end(_ reason: String) {
    switch state {
    case .idle:
      if isStopping { isOver = true }
    case .ending: break
    case .serving:
      state = .ending
      log.log(.info, "client disconnected: \(reason)")
      unwatchConnection()
      // A server that stops tells its client last, when everything that was acknowledged is durable.
      if !isStopping { connection = nil }
      guard let device else { return finish() }
      let controller = device.controller
      controller.reset { [self] in
        let rest = { [self] in
          device.removeInterrupts { [self] in
            // Nothing is in flight: the order of the three does not matter to the guest.
            do throws(Errno) {
              try device.unmap(.all) { [self] in controller.detach { [self] in finish() } }
            } catch { controller.detach { [self] in finish() } }
          }
        }
        // A server that stops leaves nothing to the host's page cache and the disk's.
        guard isStopping else { return rest() }
        controller.flushAll { [self] succeeded in
          if !succeeded {
            counters.noteUndurable()
            log(.shutdownNotDurable)
          }
          rest()
        }
      }
    }
  }

  private func unwatchConnection() {
    if watched != nil, let descriptor = connection?.descriptor { epoll.remove(descriptor) }
    watched = nil
  }

  func finish() {
    unwatchConnection()
    connection = nil
    if let device {
      let controller = device.controller
      epoll.remove(controller.mailbox.descriptor)
      epoll.remove(controller.adminEvents.submission.rawValue)
      epoll.remove(controller.adminEvents.completion.rawValue)
      epoll.remove(controller.workCompletions.eventFD)
      epoll.remove(device.memory.faultEvent.rawValue)
      device.endTracing()
      counters.end()
    }
    device = nil
    state = .idle
    performEndActions()
    if isStopping || listener == nil {
      isOver = true
    } else if isDismissed {
      retry(after: ClientLimits.dismissal)
    } else {
      listen()
    }
  }

  /// Who connected the socket; 0 where the kernel does not say.
  static func process(behind descriptor: Int32) -> pid_t {
    do throws(Errno) { return try UnixSocket.peerCredentials(descriptor).processID } catch { return 0 }
  }
}
