/// What a recorded disk was asked for and may lose, as its events go by: the indices of the events with which it came.
struct UnsettledRequests {
  /// What was answered, in that order: a later one is on the disk after an earlier one, and a forced write is there.
  private(set) var answered: [Int] = []
  /// What was not, in the order in which it came. It may be on the disk, and after everything else.
  private(set) var inFlight: [Int] = []

  /// Goes on by an event. Gives what is there for certain from now on, in the order in which it came to the disk.
  mutating func take(_ event: RecordedDisk.Event, at index: Int) -> [Int] {
    switch event {
    case .write, .clear: inFlight.append(index)
    case .answer(let request):
      inFlight.removeAll { $0 == request }
      answered.append(request)
    case .sync:
      defer { answered = [] }
      return answered
    }
    return []
  }
}

extension RecordedDisk.Event {
  /// Whether it is durable when it is answered.
  var isForced: Bool { if case .write(_, _, true) = self { true } else { false } }
}
