import GuestMemory
import LinuxIO

/// Namespaces that come, go or change while commands are in flight.
extension ControllerPort {
  /// A namespace that goes: no command is begun on it, and those in flight end as they would have.
  struct Retirement {
    /// Its place: its identifier - 1.
    let place: Int
    /// The acknowledgement that is owed.
    let token: UInt64
    /// Requests that use it.
    var missing: Int
  }

  /// A namespace appears, or changes its size.
  mutating func setNamespace(_ index: Int, _ namespace: Namespace) {
    guard index >= 0, index < namespaces.count else { return }
    owners[index] = namespace
    namespaces[index] = NamespaceGeometry(namespace)
  }

  /// A namespace goes: acknowledged when no request uses it, and the thread does not keep it any more.
  mutating func removeNamespace(_ index: Int, token: UInt64, _ resources: inout IOResources) {
    guard index >= 0, index < namespaces.count else {
      acknowledge(token)
      return
    }
    // Its backend stays for the requests in flight: the rest of a short transfer still goes there.
    namespaces[index].isActive = false
    var missing = 0
    for slot in 0..<resources.requests.count
    where resources.requests[slot].port == number && resources.requests[slot].namespace == index {
      switch resources.requests[slot].state {
      case .waiting, .submitted, .working:
        resources.requests[slot].isLast = true
        missing += 1
      // A parked request has moved its data already.
      case .free, .parked: break
      }
    }
    retirements.append(Retirement(place: index, token: token, missing: missing))
    acknowledgeWhatIsDone()
  }

  /// A request does not use its namespace any more, which may wait for that.
  mutating func releaseNamespace(_ index: Int, _ resources: inout IOResources) {
    guard resources.requests[index].isLast else { return }
    resources.requests[index].isLast = false
    for entry in retirements.indices where retirements[entry].place == resources.requests[index].namespace {
      retirements[entry].missing -= 1
    }
  }

  /// Lets the namespaces go that no request uses any more.
  mutating func finishRetirements() {
    for retirement in retirements where retirement.missing == 0 {
      owners[retirement.place] = nil
      namespaces[retirement.place] = NamespaceGeometry()
      acknowledge(retirement.token)
    }
    retirements.removeAll { $0.missing == 0 }
  }
}
