import KVM

/// How a guest's write to a doorbell register reaches the device's server.
public enum DoorbellPath: CaseIterable, Equatable, Sendable {
  /// KVM stores the value in the slot and signals the eventfd; the VMM is not woken. A patched kernel has it. What the
  /// server offers without a slot is a plain ioeventfd.
  case postWrite
  /// KVM signals the eventfd, and the VMM is not woken; the value is the server's business, which has an eBPF program
  /// store it or finds it in the guest's memory. Plain ioeventfds, which every kernel has.
  case ioeventfd
  /// KVM wakes the VMM, which sends REGION_WRITE and waits for the reply before the guest goes on.
  case messageWithReply
  /// KVM wakes the VMM, which sends REGION_WRITE and does not ask for a reply.
  case postedMessage
  /// KVM wakes the VMM, which stores the value in the slot and signals the eventfd itself: the best that a kernel
  /// without POST_WRITE allows, without any message.
  case softwarePost

  /// POST_WRITE where the kernel has it, else `fallback`: by default, what the server offers without it, and messages
  /// for the rest.
  public static func automatic(
    _ support: PostWriteSupport, fallback: DoorbellPath = .ioeventfd
  ) -> DoorbellPath {
    support == .supported ? .postWrite : fallback
  }

  /// Whether KVM is given doorbells.
  var isRegistered: Bool { self == .postWrite || self == .ioeventfd }

  /// Its name on command lines and in reports.
  public var name: String {
    switch self {
    case .postWrite: "post-write"
    case .ioeventfd: "ioeventfd"
    case .messageWithReply: "message"
    case .postedMessage: "posted"
    case .softwarePost: "software"
    }
  }
}
