import LinuxIO

/// The commands of the protocol, one call each. Errors are those of `ClientConnection`.
extension ClientConnection {
  /// Announces guest memory.
  ///
  /// - Parameters:
  ///   - map: the range.
  ///   - descriptor: the file behind it; nil: none.
  public mutating func dmaMap(_ map: DMAMap, descriptor: Int32? = nil) throws(Errno) {
    _ = try call(.dmaMap(map), descriptors: descriptor.map { [$0] } ?? [])
  }

  /// Takes guest memory back.
  ///
  /// - Returns: what the server repeats.
  @discardableResult
  public mutating func dmaUnmap(_ unmap: DMAUnmap) throws(Errno) -> DMAUnmap {
    let reply = try call(.dmaUnmap(unmap))
    return try Self.decoded { () throws(Errno) in try DMAUnmap(decoding: reply.payload.span) }
  }

  /// Asks what kind of device it is.
  public mutating func deviceInfo() throws(Errno) -> DeviceInfo {
    let reply = try call(.deviceGetInfo)
    return try Self.decoded { () throws(Errno) in try DeviceInfo(decoding: reply.payload.span) }
  }

  /// Asks about a region: once, and again where the first answer says that there is more.
  public mutating func regionInfo(_ index: RegionIndex) throws(Errno) -> RegionDescription {
    var query = RegionInfoQuery(index: index)
    for _ in 0..<2 {
      let reply = try call(.deviceGetRegionInfo(query))
      let (info, needed) = try Self.decoded { () throws(Errno) in try RegionInfo.decode(reply.payload.span) }
      if needed <= query.room { return RegionDescription(info: info, descriptors: reply.takeDescriptors()) }
      query.room = needed
    }
    throw .protocolError
  }

  /// Asks for the ioeventfds of a region: once, and again where the first answer says that there are some.
  public mutating func regionIOFDs(_ index: RegionIndex) throws(Errno) -> RegionIOFDsDescription {
    var query = RegionIOFDsQuery(index: index)
    for _ in 0..<2 {
      let reply = try call(.deviceGetRegionIOFDs(query))
      let (fds, needed) = try Self.decoded { () throws(Errno) in try RegionIOFDs.decode(reply.payload.span) }
      if needed <= query.room { return RegionIOFDsDescription(fds: fds, descriptors: reply.takeDescriptors()) }
      query.room = needed
    }
    throw .protocolError
  }

  /// Asks how many interrupts an index has.
  public mutating func irqInfo(_ index: IRQIndex) throws(Errno) -> IRQInfo {
    let reply = try call(.deviceGetIRQInfo(index))
    return try Self.decoded { () throws(Errno) in try IRQInfo(decoding: reply.payload.span) }
  }

  /// Changes interrupts.
  ///
  /// - Parameters:
  ///   - set: which, and what is to become of them.
  ///   - descriptors: the eventfds to install.
  public mutating func setIRQs(_ set: SetIRQs, descriptors: [Int32] = []) throws(Errno) {
    _ = try call(.deviceSetIRQs(set), descriptors: descriptors)
  }

  /// Reads from a region.
  public mutating func regionRead(_ region: RegionIndex, offset: UInt64, count: UInt32) throws(Errno) -> RegionData {
    let access = RegionAccess(offset: offset, region: region, count: count)
    let reply = try call(.regionRead(access))
    return try Self.decoded { () throws(Errno) in
      let write = try RegionWrite(decoding: reply.payload.span)
      guard write.access == access else { throw .protocolError }
      return write.data
    }
  }

  /// Writes to a region.
  ///
  /// - Parameters:
  ///   - region: which.
  ///   - offset: bytes from its start.
  ///   - data: one to eight bytes, or a block.
  ///   - posted: whether the write is sent without waiting, as QEMU writes to BARs.
  public mutating func regionWrite(
    _ region: RegionIndex, offset: UInt64, _ data: RegionData, posted: Bool = false
  ) throws(Errno) {
    let write = RegionWrite(offset: offset, region: region, data: data)
    if posted { return try post(.regionWrite(write)) }
    let reply = try call(.regionWrite(write))
    let access = try Self.decoded { () throws(Errno) in try RegionAccess(decoding: reply.payload.span) }
    guard access == write.access else { throw .protocolError }
  }

  /// Does several writes of one to eight bytes.
  ///
  /// - Parameters:
  ///   - writes: in the order in which they are done.
  ///   - posted: whether they are sent without waiting, as QEMU does.
  public mutating func regionWriteMulti(_ writes: [RegionWrite], posted: Bool = true) throws(Errno) {
    if posted { return try post(.regionWriteMulti(writes)) }
    let reply = try call(.regionWriteMulti(writes))
    let count: UInt64 = try Self.decoded { () throws(Errno) in try reply.payload.span.integer(at: 0) }
    guard count == writes.count else { throw .protocolError }
  }

  /// Resets the device.
  public mutating func deviceReset() throws(Errno) { _ = try call(.deviceReset) }

  /// Reads, writes or probes a feature.
  ///
  /// - Returns: the feature as the server answers it.
  public mutating func deviceFeature(_ feature: DeviceFeature) throws(Errno) -> DeviceFeature {
    let reply = try call(.deviceFeature(feature))
    return try Self.decoded { () throws(Errno) in try DeviceFeature(decoding: reply.payload.span) }
  }

  /// Reads at most `count` bytes of device state; fewer: that was all for now.
  public mutating func migrationDataRead(count: Int) throws(Errno) -> [UInt8] {
    let reply = try call(.migrationDataRead(count))
    return try Self.decoded { () throws(Errno) in
      let data = try MigrationData.data(decoding: reply.payload.span)
      guard data.count <= count else { throw .protocolError }
      return data
    }
  }

  /// Writes a piece of device state.
  public mutating func migrationDataWrite(_ data: [UInt8]) throws(Errno) { _ = try call(.migrationDataWrite(data)) }
}
