import Glibc
import LinuxIO
import NVMeController
import VFIOUser

/// The messages of a client, and their answers.
extension ControlLoop {
  func receive(_ events: Epoll.Events) {
    // A client that is gone takes no replies any more: what waits for room is thrown away, and not waited for.
    if !events.isDisjoint(with: [.writable, .hangup, .error]) { connection?.flush() }
    var budget = ControlLoop.burst
    while state == .serving, heldMessage == nil, !isDismissed, budget > 0 {
      budget -= 1
      guard let reception = connection?.receive() else { return }
      switch reception {
      case .wouldBlock:
        updateWatch()
        return
      case .negotiated: log.log(.debug, "version negotiated")
      case .message: handle()
      case .closed: return end("it closed the connection")
      case .failed(let error):
        log.log(.warning, "the connection is given up: \(error)")
        return end("protocol error")
      }
    }
    if state == .serving { updateWatch() }
  }

  private func handle() {
    do throws(Errno) {
      guard let request = try connection?.request() else { return }
      try handle(request)
    } catch {
      let number = connection?.header.commandNumber ?? 0
      log.log(.notice, "a message of the client was refused: \(error)", ["message_number": "\(number)"])
      connection?.reply(.error(error))
    }
  }

  private func handle(_ request: Request) throws(Errno) {
    guard let device else { return }
    switch request {
    case .regionWrite(let write):
      try check(write.access, device)
      if write.access.region == .bar0 {
        // Registers and doorbells, which need not be awaited.
        device.write(write) {}
        connection?.reply(.regionWrite(write.access))
        return
      }
      hold { done in
        device.write(write, then: done)
      } reply: {
        .regionWrite(write.access)
      }
    case .regionRead(let access):
      try check(access, device)
      connection?.reply(.regionRead(access, device.read(access)))
    case .regionWriteMulti(let writes):
      for write in writes { try check(write.access, device) }
      let number = nextHold
      hold { [self] done in
        write(writes[...], to: device, heldAs: number, then: done)
      } reply: {
        .regionWriteMulti(UInt64(writes.count))
      }
    case .dmaMap(let map):
      guard var descriptors = connection?.takeDescriptors() else { return }
      // It waits for no command: only until every thread knows of it. Who is told that it failed may take the guest down.
      let finish = beginHold(isLimited: false) { .done }
      do throws(Errno) {
        try device.map(map, descriptors.take(0), then: finish)
      } catch {
        heldMessage = nil
        throw error
      }
    case .dmaUnmap(let unmap):
      var failure: Errno?
      hold { done in
        do throws(Errno) { try device.unmap(unmap, then: done) } catch {
          failure = error
          done()
        }
      } reply: {
        failure.map { .error($0) } ?? .dmaUnmap(unmap)
      }
    case .deviceGetInfo:
      connection?.reply(
        .deviceInfo(DeviceInfo(flags: [.reset, .pci], regionCount: RegionIndex.count, irqCount: IRQIndex.count)))
    case .deviceGetRegionInfo(let query):
      let info = device.info(of: query.index)
      let descriptors = info.flags.contains(.mmap) ? [device.controller.slots.descriptor] : []
      connection?.reply(.regionInfo(info, room: query.room), descriptors: descriptors)
    case .deviceGetRegionIOFDs(let query):
      replyIOFDs(query, device)
    case .deviceGetIRQInfo(let index):
      connection?.reply(.irqInfo(device.info(of: index)))
    case .deviceSetIRQs(let change):
      guard let descriptors = connection?.takeDescriptors() else { return }
      try setIRQs(change, descriptors, device)
    case .deviceReset:
      hold { done in
        device.reset(then: done)
      } reply: {
        .done
      }
    case .deviceFeature:
      // Migration and dirty tracking are not supported: the answer of kernel VFIO.
      throw .notATerminal
    case .migrationDataRead, .migrationDataWrite:
      throw .notSupported
    }
  }

  private func check(_ access: RegionAccess, _ device: Device) throws(Errno) {
    let size = device.size(of: access.region)
    guard size > 0, access.fits(in: size) else { throw .invalidArgument }
  }

  /// Does writes one after the other, each when the effects of the one before are there.
  ///
  /// Most are there when the call returns. They are not nested in each other's completion: a message holds so many that
  /// the stack would not be deep enough.
  ///
  /// - Parameter number: of the message that they are of. Once it was answered without them, or its client is gone, none
  ///   is done any more: the client may have written something else, and its controller may be at its end.
  private func write(
    _ writes: ArraySlice<RegionWrite>, to device: Device, heldAs number: UInt64, then completion: @escaping () -> Void
  ) {
    var writes = writes
    while let write = writes.popFirst() {
      let rest = writes
      var isDone = false
      var isAwaited = false
      device.write(write) { [self] in
        isDone = true
        guard isAwaited, state == .serving, heldMessage?.number == number else { return }
        self.write(rest, to: device, heldAs: number, then: completion)
      }
      isAwaited = !isDone
      if isAwaited { return }
    }
    completion()
  }

  private func setIRQs(
    _ change: SetIRQs, _ descriptors: consuming ReceivedDescriptors, _ device: Device
  ) throws(Errno) {
    let finish = beginHold(isLimited: false) { .done }
    do throws(Errno) {
      try device.setIRQs(change, descriptors, then: finish)
    } catch {
      heldMessage = nil
      throw error
    }
  }

  private func replyIOFDs(_ query: RegionIOFDsQuery, _ device: Device) {
    guard query.index == .bar0 else {
      connection?.reply(.regionIOFDs(RegionIOFDs(index: query.index), room: query.room))
      return
    }
    let description = device.controller.description
    if description.doorbells == .ioeventfd, description.shadowDoorbells != .required {
      if let reason = device.settleDoorbells(postWrite, process: client ?? 0) {
        log.log(.warning, "doorbells by eBPF are not offered: \(reason)")
      }
    }
    let plan = device.doorbellPlan(budget: connection?.session?.maxReplyDescriptors ?? 0)
    let isTraced = device.doorbellOffer == .traced
    let entries = plan.entries.map { entry in
      // The width matters: for an entry of any width KVM does not pass the tracepoint, as it does not read the value.
      IOFDEntry(
        kind: isTraced || entry.slotOffset == nil ? .ioeventfd : .shadow, offset: entry.offset, length: 4,
        descriptorIndex: UInt32(entry.eventIndex), shadowDescriptorIndex: 0,
        shadowOffset: isTraced ? 0 : entry.slotOffset ?? 0)
    }
    connection?.reply(
      .regionIOFDs(RegionIOFDs(index: query.index, entries: entries), room: query.room),
      descriptors: plan.descriptors.map { device.descriptor($0) })
  }
}
