import LinuxIO
import PCIDevice
import VFIOUser

/// DEVICE_SET_IRQS in all its combinations.
extension Device {
  /// What DEVICE_GET_IRQ_INFO says.
  func info(of index: IRQIndex) -> IRQInfo {
    let info = PCIInterrupt(rawValue: index.rawValue)?.info(msix: msixLayout)
    return IRQInfo(index: index, flags: IRQInfo.Flags(rawValue: info?.flags.rawValue ?? 0), count: info?.count ?? 0)
  }

  /// Carries out a change; `completion` is called when eventfds that were replaced are not used any more.
  func setIRQs(
    _ change: SetIRQs, _ descriptors: consuming ReceivedDescriptors, then completion: @escaping () -> Void
  ) throws(Errno) {
    try change.check(interruptCount: info(of: change.index).count)
    switch change.index {
    case .msix: try setVectors(change, descriptors, then: completion)
    case .error:
      try setErrorInterrupt(change, descriptors)
      completion()
    // Not offered: there is nothing to disable or mask.
    default: completion()
    }
  }

  private func setVectors(
    _ change: SetIRQs, _ descriptors: consuming ReceivedDescriptors, then completion: @escaping () -> Void
  ) throws(Errno) {
    // Masking is the client's business: it takes the eventfd of a masked vector out.
    guard change.action == .trigger else { return completion() }
    let range = change.isDisable ? 0..<vectors.count : Int(change.range.lowerBound)..<Int(change.range.upperBound)
    let replaced = InterruptTable.Replaced()
    var changed: [(vector: Int, descriptor: Int32)] = []
    switch change.data {
    case .none where !change.isDisable:
      for vector in range { try signal(vector) }
      return completion()
    case .bools(let fire):
      for (vector, fires) in zip(range, fire) where fires { try signal(vector) }
      return completion()
    case .eventFDs where !descriptors.isEmpty:
      // All of them are looked at before the first is installed.
      var adopted = FixedTable<EventFD?>(count: range.count) { _ in nil }
      for (place, _) in range.enumerated() {
        guard let descriptor = descriptors.take(place) else { throw .invalidArgument }
        adopted[place] = try EventFD(adopting: descriptor)
      }
      for (place, vector) in range.enumerated() {
        guard let event = adopted[place].take() else { continue }
        changed.append((vector, vectors.install(event, at: vector, replaced: replaced)))
      }
    default:
      for vector in range where vectors.isInstalled(vector) {
        vectors.remove(vector, replaced: replaced)
        changed.append((vector, -1))
      }
    }
    controller.setVectors(changed) {
      _ = replaced
      completion()
    }
  }

  private func setErrorInterrupt(
    _ change: SetIRQs, _ descriptors: consuming ReceivedDescriptors
  ) throws(Errno) {
    let replaced = InterruptTable.Replaced()
    switch change.data {
    case .eventFDs where change.action == .trigger && !descriptors.isEmpty:
      guard let descriptor = descriptors.take(0) else { throw .invalidArgument }
      _ = errorInterrupt.install(try EventFD(adopting: descriptor), at: 0, replaced: replaced)
    case .eventFDs where change.action == .trigger, .none where change.isDisable:
      errorInterrupt.remove(0, replaced: replaced)
    case .none where change.action == .trigger:
      try signalError()
    case .bools(let fire) where change.action == .trigger && fire.first == true:
      try signalError()
    default: break
    }
  }

  /// Fires a vector for the client that asks for it.
  ///
  /// - Throws: `EAGAIN` where the write to its eventfd waited.
  private func signal(_ vector: Int) throws(Errno) {
    if !vectors.signal(vector) { try stall() }
  }

  private func signalError() throws(Errno) {
    if !errorInterrupt.signal(0) { try stall() }
  }

  private func stall() throws(Errno) {
    stalled?()
    throw .wouldBlock
  }

  /// Takes all eventfds out: the client is gone. `completion` is called when none is used any more.
  func removeInterrupts(then completion: @escaping () -> Void) {
    let replaced = InterruptTable.Replaced()
    var changed: [(vector: Int, descriptor: Int32)] = []
    for vector in 0..<vectors.count where vectors.isInstalled(vector) {
      vectors.remove(vector, replaced: replaced)
      changed.append((vector, -1))
    }
    errorInterrupt.remove(0, replaced: replaced)
    controller.setVectors(changed) {
      _ = replaced
      completion()
    }
  }
}
