/// Whether the host may keep doorbell values in its own memory (Doorbell Buffer Config), and what that is used for.
public enum ShadowDoorbellMode: String, Sendable, CaseIterable {
  /// It may not: the command is not supported.
  case off
  /// It may. A host that does writes fewer doorbell registers.
  case on
  /// It has to: clients get eventfds that carry no value (plain ioeventfds, which every KVM has). A host that rings one
  /// of them without the buffers has lost the value, which fails the controller.
  case required
}
