import Glibc

/// File descriptors that arrived with one message; closes those that nobody took, without waiting for what the peer may
/// have behind them.
///
/// A peer decides how many it sends, so the set is bounded. One thread at a time.
public struct ReceivedDescriptors: ~Copyable, Sendable {
  /// In order of arrival; -1 where the descriptor was taken. Empty without an allocation until one arrives.
  private var numbers: [Int32] = []
  /// The most descriptors that it holds.
  public let capacity: Int

  /// An empty set.
  ///
  /// - Parameter capacity: the most descriptors that it accepts, 0 to 253 (the kernel's limit for one message).
  public init(capacity: Int) { self.capacity = min(max(capacity, 0), UnixSocket.maxDescriptors) }

  deinit { for number in numbers where number >= 0 { DescriptorDisposal.close(number) } }

  /// How many arrived, those taken included.
  public var count: Int { numbers.count }

  /// Whether none arrived.
  public var isEmpty: Bool { numbers.isEmpty }

  /// How many more it accepts.
  public var room: Int { capacity - numbers.count }

  /// Takes the descriptor at `index` out; nil where there is none or it was already taken.
  public mutating func take(_ index: Int) -> FileDescriptor? {
    guard numbers.indices.contains(index), numbers[index] >= 0 else { return nil }
    let number = numbers[index]
    numbers[index] = -1
    return FileDescriptor(owning: number)
  }

  /// Closes what was not taken and forgets all.
  public mutating func removeAll() {
    if numbers.isEmpty { return }
    for number in numbers where number >= 0 { DescriptorDisposal.close(number) }
    numbers.removeAll()
  }

  /// Takes ownership of one more descriptor; closes it where there is no room.
  mutating func append(_ descriptor: consuming FileDescriptor) {
    guard room > 0 else { return descriptor.dispose() }
    numbers.append(descriptor.release())
  }
}
