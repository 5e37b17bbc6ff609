/// How the doorbells of a controller are rung.
public enum DoorbellMechanism: Equatable, Sendable {
  /// By REGION_WRITE messages; `posted` ones wait for no reply, as QEMU's.
  case socket(posted: Bool)
  /// As KVM does it with POST_WRITE ioeventfds: the value is stored in the server's memfd, then the eventfd is signalled
  /// (DEVICE_GET_REGION_IO_FDS, entries of type 2). Doorbells without an entry go by posted message.
  case slots
  /// As a KVM without POST_WRITE does it: the eventfd is signalled and the value is lost (entries of type 0). For
  /// controllers that have the values in guest memory; doorbells without an entry go by posted message.
  case eventfds
  /// By a store to the doorbell page of BAR0, which the server lets its client map. It wakes nobody.
  case mappedPage
}
