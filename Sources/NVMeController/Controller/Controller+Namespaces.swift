import NVMeSpec
import Storage

/// Namespaces that come, go or change while the controller runs.
extension Controller {
  /// Puts a namespace at an identifier, replaces it, or (nil) takes it away; the host is told, if it wants to be.
  ///
  /// - Returns: false beyond the highest identifier (NN).
  @discardableResult
  public func setNamespace(_ identifier: UInt32, _ namespace: Namespace?) -> Bool {
    guard let place = place(identifier) else { return false }
    namespaces[place] = namespace
    for lane in lanes { send(lane, .setNamespace(port: lane.port, index: place, namespace)) }
    changedNamespaces.insert(identifier)
    if features.asynchronousEvents.contains(.namespaceAttributeNotices) { post(.namespaceAttributeChanged) }
    return true
  }
}
