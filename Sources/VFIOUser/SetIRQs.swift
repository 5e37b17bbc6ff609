import LinuxIO

/// DEVICE_SET_IRQS: what is to happen to the interrupts `start` to `start + count - 1` of an index
/// (`struct vfio_irq_set` of `linux/vfio.h`). The reply is a header alone.
///
/// | data | action | count | effect |
/// |---|---|---|---|
/// | none | trigger | 0 | every eventfd of the index is dropped: `isDisable` |
/// | none | trigger | n | they fire now |
/// | bools | trigger | n | those that are true fire now |
/// | eventFDs(n) | trigger | n | eventfds are installed in order, in place of earlier ones |
/// | eventFDs(0) | trigger | n | their eventfds are dropped |
/// | none, bools | mask, unmask | n | they, or those that are true, are masked or unmasked |
/// | eventFDs | mask, unmask | n | an eventfd masks or unmasks each when it is signalled |
public struct SetIRQs: Equatable, Sendable {
  /// Bytes of the struct before the data.
  public static let size = 20

  /// What is done (`VFIO_IRQ_SET_ACTION_*`).
  public enum Action: UInt32, Sendable {
    /// The interrupts are masked.
    case mask = 0x08
    /// The interrupts are unmasked.
    case unmask = 0x10
    /// The interrupts fire, or are given the eventfds that they fire through.
    case trigger = 0x20
  }

  /// What comes with it (`VFIO_IRQ_SET_DATA_*`).
  public enum Data: Equatable, Sendable {
    /// Nothing: all of the range are meant.
    case none
    /// One for each of the range: the true ones are meant.
    case bools([Bool])
    /// So many descriptors: 0, or one for each of the range.
    case eventFDs(Int)
  }

  private static let dataNone: UInt32 = 1
  private static let dataBool: UInt32 = 2
  private static let dataEventFD: UInt32 = 4
  private static let dataMask: UInt32 = 0x07
  private static let actionMask: UInt32 = 0x38

  /// The interrupt index.
  public var index: IRQIndex
  /// The first interrupt.
  public var start: UInt32
  /// How many.
  public var count: UInt32
  /// What is done.
  public var action: Action
  /// What comes with it.
  public var data: Data

  /// A change of interrupts. `start + count` must not pass 2^32.
  public init(index: IRQIndex, start: UInt32, count: UInt32, action: Action, data: Data) {
    self.index = index
    self.start = start
    self.count = count
    self.action = action
    self.data = data
  }

  /// Drops every eventfd of the index.
  public static func disable(_ index: IRQIndex) -> SetIRQs {
    SetIRQs(index: index, start: 0, count: 0, action: .trigger, data: .none)
  }

  /// Whether every eventfd of the index is to be dropped.
  public var isDisable: Bool { count == 0 }

  /// The interrupts meant.
  public var range: Range<UInt32> { start..<start &+ min(count, UInt32.max - start) }

  /// Reads a request.
  ///
  /// - Throws: `EINVAL` for a payload or `argsz` that is not exactly the struct and its data, flags that are not one
  ///   data type and one action, an index that no PCI device has, a range that passes 2^32, no interrupts other than to
  ///   disable, more than one interrupt or another action than trigger for `error` and `request`, descriptors with data
  ///   of another type, or another number of them than 0 or one for each interrupt.
  init(decoding payload: Span<UInt8>, descriptorCount: Int) throws(Errno) {
    let argumentSize: UInt32 = try payload.integer(at: 0)
    let flags: UInt32 = try payload.integer(at: 4)
    index = try IRQIndex(decoding: try payload.integer(at: 8))
    start = try payload.integer(at: 12)
    count = try payload.integer(at: 16)
    guard let action = Action(rawValue: flags & SetIRQs.actionMask),
      flags & ~(SetIRQs.actionMask | SetIRQs.dataMask) == 0, argumentSize == payload.count
    else { throw .invalidArgument }
    self.action = action

    var dataSize: UInt32 = 0
    switch flags & SetIRQs.dataMask {
    case SetIRQs.dataNone: data = .none
    case SetIRQs.dataBool:
      dataSize = count
      data = .bools([])
    case SetIRQs.dataEventFD:
      guard descriptorCount == 0 || descriptorCount == count else { throw .invalidArgument }
      data = .eventFDs(descriptorCount)
    default: throw .invalidArgument
    }
    guard payload.count - SetIRQs.size == dataSize else { throw .invalidArgument }
    if data == .bools([]) { data = .bools(payload.copy(from: SetIRQs.size).map { $0 != 0 }) }

    guard !start.addingReportingOverflow(count).overflow else { throw .invalidArgument }
    if count == 0 {
      guard action == .trigger, data == .none, start == 0 else { throw .invalidArgument }
    }
    if index == .error || index == .request {
      guard action == .trigger, count <= 1 else { throw .invalidArgument }
    }
    if case .eventFDs = data {} else if descriptorCount > 0 { throw .invalidArgument }
  }

  /// Checks the range against the number of interrupts that the index has. To disable an index without interrupts is
  /// no error.
  ///
  /// - Throws: `EINVAL` where the range is not inside.
  public func check(interruptCount: UInt32) throws(Errno) {
    if isDisable { return }
    guard start < interruptCount, count <= interruptCount - start else { throw .invalidArgument }
  }

  /// Appends the struct and its data.
  func encode(to bytes: inout [UInt8]) {
    var flags = action.rawValue
    var tail: [UInt8] = []
    switch data {
    case .none: flags |= SetIRQs.dataNone
    case .bools(let bools):
      flags |= SetIRQs.dataBool
      tail = bools.map { $0 ? 1 : 0 }
    case .eventFDs: flags |= SetIRQs.dataEventFD
    }
    bytes.append(integer: UInt32(truncatingIfNeeded: SetIRQs.size + tail.count))
    bytes.append(integer: flags)
    bytes.append(integer: index.rawValue)
    bytes.append(integer: start)
    bytes.append(integer: count)
    bytes += tail
  }
}
