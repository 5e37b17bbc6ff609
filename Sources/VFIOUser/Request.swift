import LinuxIO

/// A command of the client, read and checked: all that can be checked without knowing the device.
///
/// VERSION is not among them, as the connection answers it itself.
public enum Request: Equatable, Sendable {
  /// A range of guest memory is announced, with at most one descriptor.
  case dmaMap(DMAMap)
  /// A range of guest memory is taken back. SPDK's host sends the descriptor again, which nobody takes.
  case dmaUnmap(DMAUnmap)
  /// What kind of device it is.
  case deviceGetInfo
  /// What a region is.
  case deviceGetRegionInfo(RegionInfoQuery)
  /// The ioeventfds of a region.
  case deviceGetRegionIOFDs(RegionIOFDsQuery)
  /// How many interrupts an index has.
  case deviceGetIRQInfo(IRQIndex)
  /// A change of interrupts, with descriptors as its data says.
  case deviceSetIRQs(SetIRQs)
  /// A read from a region.
  case regionRead(RegionAccess)
  /// A write to a region. Up to eight bytes are decoded without an allocation.
  case regionWrite(RegionWrite)
  /// Several writes, done in order.
  case regionWriteMulti([RegionWrite])
  /// The device is reset.
  case deviceReset
  /// Migration and dirty tracking.
  case deviceFeature(DeviceFeature)
  /// So many bytes of device state are asked for.
  case migrationDataRead(Int)
  /// A piece of device state.
  case migrationDataWrite([UInt8])

  /// Reads a command.
  ///
  /// - Parameters:
  ///   - header: its header.
  ///   - payload: what follows the header.
  ///   - descriptorCount: how many descriptors came with it.
  /// - Throws: what the error reply says: `EINVAL` for a malformed message, for a second VERSION and for a command of
  ///   the other direction, `ENOTSUP` for a number that has no meaning here.
  public init(header: MessageHeader, payload: Span<UInt8>, descriptorCount: Int) throws(Errno) {
    guard let command = header.command else { throw .notSupported }
    switch command {
    case .version, .dmaRead, .dmaWrite: throw .invalidArgument
    case .dirtyPages: throw .notSupported
    case .dmaMap: self = .dmaMap(try DMAMap(decoding: payload, descriptorCount: descriptorCount))
    case .dmaUnmap: self = .dmaUnmap(try DMAUnmap(decoding: payload))
    case .deviceGetInfo:
      try DeviceInfo.checkQuery(payload)
      self = .deviceGetInfo
    case .deviceGetRegionInfo: self = .deviceGetRegionInfo(try RegionInfoQuery(decoding: payload))
    case .deviceGetRegionIOFDs: self = .deviceGetRegionIOFDs(try RegionIOFDsQuery(decoding: payload))
    case .deviceGetIRQInfo: self = .deviceGetIRQInfo(try IRQInfo.query(decoding: payload))
    case .deviceSetIRQs: self = .deviceSetIRQs(try SetIRQs(decoding: payload, descriptorCount: descriptorCount))
    case .regionRead:
      guard payload.count == RegionAccess.size else { throw .invalidArgument }
      self = .regionRead(try RegionAccess(decoding: payload))
    case .regionWrite: self = .regionWrite(try RegionWrite(decoding: payload))
    case .regionWriteMulti: self = .regionWriteMulti(try RegionWriteMulti.decode(payload))
    case .deviceReset:
      guard payload.isEmpty else { throw .invalidArgument }
      self = .deviceReset
    case .deviceFeature: self = .deviceFeature(try DeviceFeature(decoding: payload))
    case .migrationDataRead: self = .migrationDataRead(try MigrationData.readCount(decoding: payload))
    case .migrationDataWrite: self = .migrationDataWrite(try MigrationData.data(decoding: payload))
    }
  }

  /// The command that it is.
  public var command: Command {
    switch self {
    case .dmaMap: .dmaMap
    case .dmaUnmap: .dmaUnmap
    case .deviceGetInfo: .deviceGetInfo
    case .deviceGetRegionInfo: .deviceGetRegionInfo
    case .deviceGetRegionIOFDs: .deviceGetRegionIOFDs
    case .deviceGetIRQInfo: .deviceGetIRQInfo
    case .deviceSetIRQs: .deviceSetIRQs
    case .regionRead: .regionRead
    case .regionWrite: .regionWrite
    case .regionWriteMulti: .regionWriteMulti
    case .deviceReset: .deviceReset
    case .deviceFeature: .deviceFeature
    case .migrationDataRead: .migrationDataRead
    case .migrationDataWrite: .migrationDataWrite
    }
  }

  /// The whole message, header included.
  ///
  /// - Parameters:
  ///   - messageID: what the reply repeats.
  ///   - noReply: whether the server is told not to reply.
  public func message(id messageID: UInt16, noReply: Bool = false) -> [UInt8] {
    let header = MessageHeader(
      messageID: messageID, commandNumber: command.rawValue, flags: noReply ? .noReply : [])
    var bytes: [UInt8] = []
    header.encodeMessage(to: &bytes) { encodePayload(to: &$0) }
    return bytes
  }

  private func encodePayload(to bytes: inout [UInt8]) {
    switch self {
    case .dmaMap(let map): map.encode(to: &bytes)
    case .dmaUnmap(let unmap): unmap.encode(to: &bytes)
    case .deviceGetInfo: DeviceInfo.encodeQuery(to: &bytes)
    case .deviceGetRegionInfo(let query): query.encode(to: &bytes)
    case .deviceGetRegionIOFDs(let query): query.encode(to: &bytes)
    case .deviceGetIRQInfo(let index): IRQInfo.encodeQuery(index, to: &bytes)
    case .deviceSetIRQs(let set): set.encode(to: &bytes)
    case .regionRead(let access): access.encode(to: &bytes)
    case .regionWrite(let write): write.encode(to: &bytes)
    case .regionWriteMulti(let writes): RegionWriteMulti.encode(writes, to: &bytes)
    case .deviceReset: break
    case .deviceFeature(let feature): feature.encode(to: &bytes)
    case .migrationDataRead(let count): MigrationData.encodeRead(count: count, to: &bytes)
    case .migrationDataWrite(let data): MigrationData.encode(data, to: &bytes)
    }
  }
}
