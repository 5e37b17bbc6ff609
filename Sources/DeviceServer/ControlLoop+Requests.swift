import Glibc
import LinuxIO
import NVMeController
import VFIOUser

/// What other threads ask of the control thread. It answers when it can, and waits for nothing meanwhile.
extension ControlLoop {
  /// Takes what is asked.
  func takeRequests() {
    for request in requests.takeAll() {
      switch request {
      case .stop: stop()
      case .ping(let answer): answer()
      case .status(let answer): tellStatus(answer)
      case .setNamespace(let identifier, let namespace, let answer): set(identifier, namespace, answer)
      case .setLimits(let limits, let answer):
        options.controller.limits = limits
        device?.controller.setLimits(limits)
        answer.give(true)
      case .drain(let answer): drain(answer)
      case .errorLog(let answer): answer.give(device?.controller.errorLog.entries ?? [])
      case .dmaMap(let answer): answer.give(state == .serving ? device?.memory.regions ?? [] : [])
      }
    }
  }

  private func tellStatus(_ answer: Answer<DeviceStatus>) {
    var status = DeviceStatus.idle
    guard let device, state == .serving else {
      if state == .ending { status.state = .ending }
      return answer.give(status)
    }
    status.state = .serving
    status.client = client
    switch device.doorbellOffer {
    case nil: status.doorbells = .unsettled
    case .some(.none): status.doorbells = .none
    case .slots: status.doorbells = .slots
    case .traced: status.doorbells = .traced
    }
    status.dmaMapCount = device.memory.count
    status.dmaByteCount = device.memory.regions.reduce(0) { $0 &+ $1.size }
    status.installedVectors = (0..<device.vectors.count).filter { device.vectors.isInstalled($0) }
    device.controller.inspect { snapshot in
      status.controller = snapshot
      answer.give(status)
    }
  }

  private func set(_ identifier: UInt32, _ namespace: Namespace?, _ answer: Answer<Bool>) {
    guard identifier > 0, identifier <= UInt32(truncatingIfNeeded: options.controller.namespaceLimit) else {
      return answer.give(false)
    }
    let place = Int(identifier) - 1
    guard let device else {
      keep(namespace, at: place)
      return answer.give(true)
    }
    // At the end of a client its I/O threads let go of all namespaces, which is answered then.
    let isDone = awaitEnd { answer.give(true) }
    let isPossible =
      state == .ending
      || device.controller.setNamespace(identifier, namespace) {
        if isDone() { answer.give(true) }
      }
    guard isPossible else {
      if isDone() { answer.give(false) }
      return
    }
    keep(namespace, at: place)
  }

  /// Keeps a namespace for the clients to come.
  private func keep(_ namespace: Namespace?, at place: Int) {
    while options.namespaces.count <= place { options.namespaces.append(nil) }
    options.namespaces[place] = namespace
  }

  private func drain(_ answer: Answer<Bool>) {
    // Without a client nothing is in flight, and what the last one left in caches is nobody's promise.
    guard let device else { return answer.give(true) }
    let isDone = awaitEnd { answer.give(true) }
    guard state == .serving else { return }
    device.controller.drain { succeeded in
      if isDone() { answer.give(succeeded) }
    }
  }

  /// Has something done at the end of the client, unless it is done before.
  ///
  /// - Returns: to be called when it is done otherwise; gives false where it was done already.
  private func awaitEnd(_ action: @escaping () -> Void) -> () -> Bool {
    let number = nextAction
    nextAction += 1
    endActions[number] = action
    return { [self] in endActions.removeValue(forKey: number) != nil }
  }

  /// Does what waited for the end of the client.
  func performEndActions() {
    let actions = endActions
    endActions = [:]
    for action in actions.values { action() }
  }
}
