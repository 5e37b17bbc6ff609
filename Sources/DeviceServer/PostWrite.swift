import Doorbells

/// How the value of a doorbell that a client may signal without a message gets to its slot.
public enum PostWrite: Sendable {
  /// The client stores it, or has KVM store it (POST_WRITE): it gets the slots.
  case byClient
  /// An eBPF program of this process stores it: the client needs plain ioeventfds. A client whose process does
  /// not run one VM that can be seen rings by message.
  case byTracer(DoorbellTracer)
  /// By the tracer that this gives, if it gives one, for clients whose process runs one VM; by the client for the others.
  ///
  /// A client that takes slots can store by itself or by POST_WRITE; one that runs a VM can only have KVM do it, so that
  /// it loses nothing where that KVM cannot. The closure is called on control threads, at the first such client, and may
  /// take some ms.
  case automatic(@Sendable () -> DoorbellTracer?)
  /// Not at all: every doorbell is a message.
  case none
}
