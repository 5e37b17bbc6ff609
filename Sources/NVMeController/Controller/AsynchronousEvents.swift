import NVMeSpec

/// Asynchronous events: NVMe base specification 2.0, section 5.2. Plain data.
///
/// Each event type is reported once and then masked until the host reads its log page (without Retain Asynchronous
/// Event), so a guest that provokes events gets no flood.
struct AsynchronousEvents: Sendable {
  /// Asynchronous Event Requests outstanding at most (AERL + 1).
  static let limit = 4

  /// Identifiers of the Asynchronous Event Requests that wait for an event.
  var requests: [UInt16] = []
  /// Events that wait for a request, in order.
  private(set) var pending: [AsynchronousEvent] = []
  /// Types that were reported and whose log page was not read.
  private var masked: Set<UInt8> = []
  /// Whether the host was told, since the controller was enabled, that something it believed durable may be lost.
  var hasReportedReliability = false

  /// Takes note of an event, unless one of its kind waits already.
  mutating func add(_ event: AsynchronousEvent) {
    guard pending.count < 16, !pending.contains(event) else { return }
    pending.append(event)
  }

  /// The next event and the request to complete with it.
  mutating func take() -> (event: AsynchronousEvent, request: UInt16)? {
    guard !requests.isEmpty, let index = pending.firstIndex(where: { !masked.contains($0.type.rawValue) }) else {
      return nil
    }
    let event = pending.remove(at: index)
    masked.insert(event.type.rawValue)
    return (event, requests.removeFirst())
  }

  /// Whether `take` would give something.
  var hasDeliverable: Bool {
    !requests.isEmpty && pending.contains { !masked.contains($0.type.rawValue) }
  }

  /// The host has read a log page: the events that it belongs to are reported again.
  ///
  /// - Parameter isCleared: whether the page told all there was, so that events which wait for a request tell nothing new.
  mutating func logPageRead(_ type: AsynchronousEventType, isCleared: Bool = false) {
    masked.remove(type.rawValue)
    if isCleared { pending.removeAll { $0.type == type } }
  }
}
