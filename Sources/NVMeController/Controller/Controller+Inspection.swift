/// What others want to know of a running controller, or want of it: nothing of it is seen by the guest but a pause.
extension Controller {
  /// What the I/O threads have told so far.
  struct Inspection {
    /// I/O threads that have not told yet.
    var missing: Int
    var ports: [PortSnapshot] = []
    let completion: (ControllerSnapshot) -> Void
  }

  /// Collects what the controller is: each I/O thread tells when it next looks at its messages.
  public func inspect(then completion: @escaping (ControllerSnapshot) -> Void) {
    let token = makeToken()
    inspections[token] = Inspection(missing: lanes.count, completion: completion)
    for lane in lanes { send(lane, .inspect(port: lane.port, token: token)) }
  }

  /// Takes what an I/O thread tells.
  func takeInspection(_ token: UInt64, _ port: PortSnapshot) {
    guard var inspection = inspections[token] else { return }
    inspection.ports.append(port)
    inspection.missing -= 1
    inspections[token] = inspection.missing == 0 ? nil : inspection
    if inspection.missing == 0 { inspection.completion(snapshot(inspection.ports)) }
  }

  private func snapshot(_ ports: [PortSnapshot]) -> ControllerSnapshot {
    var queues = ports.flatMap(\.queues).sorted { $0.identifier < $1.identifier }
    if adminCompletionQueue.isLive { queues.insert(adminCompletionQueue.snapshot(nil), at: 0) }
    if adminSubmissionQueue.isLive { queues.insert(adminSubmissionQueue.snapshot(nil), at: 0) }
    return ControllerSnapshot(
      configuration: registers.configuration.rawValue, status: registers.status.rawValue, queues: queues,
      usesShadowDoorbells: doorbellBuffers != nil, isLimited: ports.contains { $0.isLimited })
  }

  /// Lets the guest's commands rest for a moment: those in flight end, and everything becomes durable; then they go on.
  ///
  /// - Parameter completion: called at that moment, with whether all flushes worked.
  public func drain(then completion: @escaping (Bool) -> Void) {
    drains += 1
    setPaused(.drain, true) { [self] in
      flushAll { [self] succeeded in
        drains -= 1
        if drains == 0 { setPaused(.drain, false) }
        completion(succeeded)
      }
    }
  }

  /// Changes what the I/O queues may do at most, for commands that have not begun.
  public func setLimits(_ limits: RateLimits) {
    limiter.set(limits, now: RateClock.monotonic.now)
    for lane in lanes { send(lane, .setLimited(port: lane.port, !limits.isUnlimited)) }
  }
}
