import DeviceServer
import LinuxIO
import NVMeController

/// Controllers that come, go and change while others run.
extension Supervisor {
  /// Serves one more controller.
  ///
  /// - Parameters:
  ///   - configuration: what it is.
  ///   - handedOver: descriptors that its configuration names, or its socket.
  /// - Throws: everything that is wrong with its configuration, also together with that of the others; or what of it
  ///   cannot be opened. Then nothing of it is left.
  public func addController(
    _ configuration: ControllerConfiguration, handedOver: consuming HandedOver? = nil
  ) throws(DaemonError) {
    var handed = handedOver ?? HandedOver()
    try change { () throws(DaemonError) in
      try check { $0.controllers.append(configuration) }
      guard state.withLock({ $0.controllers.count }) < Supervisor.controllerLimit else {
        throw DaemonError("there are \(Supervisor.controllerLimit) controllers, and there can be no more")
      }
      let logger = Supervisor.makeLogger(configuration.name, threshold)
      try serve(OpenedController.open(configuration, handedOver: &handed, ways: ways, logger: logger))
    }
  }

  /// Ends a controller: its guest's commands in flight end, everything becomes durable, its client is disconnected, and
  /// its images are closed.
  ///
  /// - Throws: where there is no such controller, or commands in flight do not end: it ends when they do; and where it has
  ///   ended, and an image of it could not be flushed.
  public func removeController(_ name: String) throws(DaemonError) {
    try change { () throws(DaemonError) in try remove(try controller(name)) }
  }

  /// As `removeController`, of a change that is under way.
  func remove(_ controller: ServedController) throws(DaemonError) {
    controller.state.withLock { $0.isLeaving = true }
    controller.server.beginStop()
    guard controller.ended.wait(timeout: Supervisor.changePatience) else {
      throw DaemonError(
        "controller '\(controller.name)': commands in flight do not end; it is removed when they have ended")
    }
    // Whoever takes it out waits for the thread.
    if let controller = take(controller.number) { controller.server.stop() }
    let closings = controller.letGo()
    controller.logger.info("removed")
    try awaitClosing(
      closings, of: controller,
      failure: controller.server.isDurable
        ? nil
        : DaemonError("controller '\(controller.name)' is removed, but an image of it cannot be flushed"))
  }

  /// Changes what the I/O queues of a controller may do at most, from the next command on.
  ///
  /// - Throws: where there is no such controller, or it does not answer.
  public func setLimits(controller name: String, _ limits: RateLimits) throws(DaemonError) {
    try change { () throws(DaemonError) in
      try check { configuration in
        guard let index = configuration.controllers.firstIndex(where: { $0.name == name }) else { return }
        configuration.controllers[index].limits = LimitsConfiguration(limits)
      }
      try set(limits, of: try controller(name))
    }
  }

  /// As `setLimits`, of a change that is under way.
  func set(_ limits: RateLimits, of controller: ServedController) throws(DaemonError) {
    let done = try ask(controller) { server, patience throws(Errno) in
      try server.setLimits(limits, milliseconds: patience)
    }
    controller.state.withLock { $0.limits = limits }
    if done == nil { throw DaemonError("controller '\(controller.name)' is busy; its limits change when it is not") }
  }

  /// Lets the commands of a controller's guest rest for a moment, at which nothing is in flight and everything is durable.
  ///
  /// - Throws: where there is no such controller, a flush fails, or commands in flight do not end.
  public func drain(controller name: String) throws(DaemonError) {
    // Nothing changes, so nobody waits for it.
    let controller = try controller(name)
    let done = try ask(controller) { server, patience throws(Errno) in try server.drain(milliseconds: patience) }
    switch done {
    case true?: return
    case false?: throw DaemonError("controller '\(name)': a flush failed; see the log for the image")
    case nil: throw DaemonError("controller '\(name)': commands in flight do not end")
    }
  }

  /// Has a control thread do something, and waits for it.
  func ask<Value>(
    _ controller: ServedController, _ body: (DeviceServer, Int32) throws(Errno) -> Value?
  ) throws(DaemonError) -> Value? {
    do throws(Errno) { return try body(controller.server, Supervisor.changePatience) } catch {
      throw DaemonError("controller '\(controller.name)' cannot be asked: \(error)")
    }
  }

  /// Checks what the whole configuration would be after a change.
  func check(_ change: (inout DaemonConfiguration) -> Void) throws(DaemonError) {
    var configuration = configuration
    change(&configuration)
    do throws(ConfigurationErrors) { try configuration.check() } catch { throw DaemonError(error.description) }
  }
}
