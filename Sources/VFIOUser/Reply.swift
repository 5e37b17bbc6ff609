import LinuxIO

/// What the server answers to a command.
public enum Reply: Equatable, Sendable {
  /// It is done: a header alone. To DMA_MAP, DEVICE_SET_IRQS, DEVICE_RESET and MIG_DATA_WRITE.
  case done
  /// It failed: a header alone. cloud-hypervisor does not look at the error and waits for the payload of the commands
  /// that have one, so a well-formed question is better answered with "none" than with an error.
  case error(Errno)
  /// To DMA_UNMAP: the request, repeated.
  case dmaUnmap(DMAUnmap)
  /// To DEVICE_GET_INFO.
  case deviceInfo(DeviceInfo)
  /// To DEVICE_GET_REGION_INFO by a client that has `room` bytes.
  case regionInfo(RegionInfo, room: UInt32)
  /// To DEVICE_GET_REGION_IO_FDS by a client that has `room` bytes.
  case regionIOFDs(RegionIOFDs, room: UInt32)
  /// To DEVICE_GET_IRQ_INFO.
  case irqInfo(IRQInfo)
  /// To REGION_READ: where it went, and the data, which is `count` bytes long.
  case regionRead(RegionAccess, RegionData)
  /// To REGION_WRITE: where it went.
  case regionWrite(RegionAccess)
  /// To REGION_WRITE_MULTI: how many writes were done.
  case regionWriteMulti(UInt64)
  /// To DEVICE_FEATURE.
  case deviceFeature(DeviceFeature)
  /// To MIG_DATA_READ.
  case migrationData([UInt8])

  /// Whether descriptors go with it: not with the answer that only says how much room is needed.
  public var takesDescriptors: Bool {
    switch self {
    case .regionInfo(let info, let room): info.fits(in: room)
    case .regionIOFDs(let fds, let room): fds.fits(in: room)
    default: false
    }
  }

  /// Replaces `bytes` by the whole message that answers the command with the given header.
  public func encode(to bytes: inout [UInt8], answering header: MessageHeader) {
    var failure: Errno?
    if case .error(let error) = self { failure = error }
    header.replyHeader(error: failure).encodeMessage(to: &bytes) { encodePayload(to: &$0) }
  }

  private func encodePayload(to bytes: inout [UInt8]) {
    switch self {
    case .done, .error: break
    case .dmaUnmap(let unmap): unmap.encode(to: &bytes)
    case .deviceInfo(let info): info.encode(to: &bytes)
    case .regionInfo(let info, let room): info.encode(to: &bytes, room: room)
    case .regionIOFDs(let fds, let room): fds.encode(to: &bytes, room: room)
    case .irqInfo(let info): info.encode(to: &bytes)
    case .regionRead(let access, let data):
      access.encode(to: &bytes)
      data.encode(to: &bytes)
    case .regionWrite(let access): access.encode(to: &bytes)
    case .regionWriteMulti(let count): bytes.append(integer: count)
    case .deviceFeature(let feature): feature.encode(to: &bytes)
    case .migrationData(let data): MigrationData.encode(data, to: &bytes)
    }
  }
}
