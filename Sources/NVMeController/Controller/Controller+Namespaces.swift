import NVMeSpec
import Storage

/// Namespaces that come, go or change while the controller runs: NVMe base specification 2.0, section 3.2.1.
extension Controller {
  /// Puts a namespace at an identifier, gives the one there another size, or (nil) takes it away; the host is told, if it
  /// wants to be.
  ///
  /// A namespace is shown when every I/O thread knows it, and one that goes is not shown from now on: commands that come
  /// later fail (Invalid Field in Command, as of an inactive namespace), those in flight end as they would have. In the
  /// place of another one: both have the same backend, or nothing of the one before is in flight.
  ///
  /// - Parameters:
  ///   - identifier: NSID, from 1.
  ///   - namespace: what is there from now on; nil: nothing.
  ///   - completion: called when it is shown; or when no command uses it and no thread keeps it any more.
  /// - Returns: false beyond the highest identifier (NN), and while another namespace leaves that place: nothing is done.
  @discardableResult
  public func setNamespace(
    _ identifier: UInt32, _ namespace: Namespace?, then completion: @escaping () -> Void = {}
  ) -> Bool {
    guard let place = place(identifier), leavingNamespaces.index(forKey: place) == nil else { return false }
    guard let namespace else {
      leavingNamespaces.updateValue(namespaces[place], forKey: place)
      namespaces[place] = nil
      noteChange(identifier)
      broadcast({ lane, token in .removeNamespace(port: lane.port, index: place, token: token) }) { [self] in
        leavingNamespaces.removeValue(forKey: place)
        completion()
      }
      return true
    }
    broadcast({ lane, token in .setNamespace(port: lane.port, index: place, namespace, token: token) }) { [self] in
      // It may have been taken away meanwhile.
      if leavingNamespaces.index(forKey: place) == nil {
        namespaces[place] = namespace
        noteChange(identifier)
      }
      completion()
    }
    return true
  }

  private func noteChange(_ identifier: UInt32) {
    changedNamespaces.insert(identifier)
    if features.asynchronousEvents.contains(.namespaceAttributeNotices) { post(.namespaceAttributeChanged) }
  }
}
