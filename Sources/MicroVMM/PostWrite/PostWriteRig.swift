import Glibc
import KVM
import LinuxIO

/// What a case works with: a guest of a few instructions, an eventfd, and a page whose first word is the slot.
///
/// Thread of the vCPU only. Its `expect` functions throw what happened instead.
@safe struct PostWriteRig: ~Copyable {
  /// Where the guest writes, with FS:0: to a device that nobody emulates.
  static let address = SmallGuest.deviceAddress
  /// The port that the guest writes to.
  static let port: UInt16 = 0xE000
  /// The port with which the guest tells how far it is.
  static let stagePort: UInt8 = 0x80
  /// What every byte of the page is until something is stored.
  static let poison: UInt8 = 0x55
  /// A value whose bytes all differ, and differ from the poison.
  static let value: UInt64 = 0xDEAD_BEEF_CAFE_BAB1

  var guest: SmallGuest
  let event: EventFD
  let page: MemoryMapping
  private let kick: VCPUKick

  /// Makes the guest.
  init(_ kick: VCPUKick, _ build: (inout Assembler) -> Void) throws(PostWriteFailure) {
    do throws(Errno) {
      let guest = try SmallGuest(build)
      let event = try EventFD()
      let page = try MemoryMapping(anonymous: 4096)
      self.guest = guest
      self.event = event
      self.page = page
      self.kick = kick
    } catch { throw PostWriteFailure("no guest: \(error)") }
    poisonPage()
  }

  /// An address in the page, as `post_addr`.
  func address(_ offset: Int = 0) -> UInt64 { UInt64(UInt(bitPattern: unsafe page.base)) + UInt64(offset) }

  /// An ioeventfd at `address`, without the flag.
  func plain(_ length: UInt32, datamatch: UInt64? = nil) -> IOEventFD {
    IOEventFD(address: PostWriteRig.address, length: length, event: event.rawValue, datamatch: datamatch)
  }

  /// An ioeventfd at `port`, of 4 bytes, without the flag.
  func plainPort(datamatch: UInt64? = nil) -> IOEventFD {
    IOEventFD(
      bus: .pio, address: UInt64(PostWriteRig.port), length: 4, event: event.rawValue, datamatch: datamatch)
  }

  // MARK: The ioctl

  /// Registers.
  func assign(_ ioeventfd: IOEventFD) throws(PostWriteFailure) {
    do throws(Errno) { try guest.machine.assign(ioeventfd) } catch {
      throw PostWriteFailure("the registration is refused: \(error)")
    }
  }

  /// Takes a registration back.
  func deassign(_ ioeventfd: IOEventFD) throws(PostWriteFailure) {
    do throws(Errno) { try guest.machine.deassign(ioeventfd) } catch {
      throw PostWriteFailure("the registration cannot be taken back: \(error)")
    }
  }

  /// The registration must fail.
  func expectRefusal(_ ioeventfd: IOEventFD, _ expected: Errno) throws(PostWriteFailure) {
    do throws(Errno) { try guest.machine.assign(ioeventfd) } catch {
      guard error == expected else { throw PostWriteFailure("refused with \(error), not \(expected)") }
      return
    }
    throw PostWriteFailure("the registration is accepted, and must fail: \(expected)")
  }

  /// There must be no such registration.
  func expectNone(_ ioeventfd: IOEventFD) throws(PostWriteFailure) {
    do throws(Errno) { try guest.machine.deassign(ioeventfd) } catch {
      guard error == .noSuchFile else { throw PostWriteFailure("ENOENT expected, not \(error)") }
      return
    }
    throw PostWriteFailure("something is registered")
  }

  // MARK: The guest

  /// Runs the guest; its next exit must be this one.
  mutating func expectExit(_ expected: VCPUExit) throws(PostWriteFailure) {
    let exit: VCPUExit
    do throws(Errno) { exit = try guest.run(kick) } catch { throw PostWriteFailure("KVM_RUN: \(error)") }
    guard exit == expected else { throw PostWriteFailure("the exit is \(exit), not \(expected)") }
  }

  /// The guest must come to the next stage without an exit before.
  mutating func expectStage(_ number: UInt32) throws(PostWriteFailure) {
    try expectExit(.portWrite(port: UInt16(PostWriteRig.stagePort), count: 4, value: number))
  }

  /// The guest's next write must come to the VMM.
  mutating func expectWrite(_ value: UInt64, count: Int) throws(PostWriteFailure) {
    try expectExit(.mmioWrite(address: PostWriteRig.address, count: count, value: value))
  }

  // MARK: What came of it

  /// How often the eventfd must have been signalled since the last look.
  func expectSignals(_ expected: UInt64) throws(PostWriteFailure) {
    let signals = event.drain()
    guard signals == expected else { throw PostWriteFailure("\(signals) signals, not \(expected)") }
  }

  /// The page must hold these bytes at `offset` and the poison elsewhere. It is all poison then.
  func expectStored(_ value: UInt64, count: Int, at offset: Int = 0) throws(PostWriteFailure) {
    for index in 0..<page.count {
      let place = index - offset
      let expected =
        (0..<count).contains(place) ? UInt8(truncatingIfNeeded: value >> UInt64(8 * place)) : PostWriteRig.poison
      let byte = unsafe page.base.load(fromByteOffset: index, as: UInt8.self)
      guard byte == expected else {
        throw PostWriteFailure(
          "byte \(index) of the page is 0x\(String(byte, radix: 16)), not 0x\(String(expected, radix: 16))")
      }
    }
    poisonPage()
  }

  /// Nothing must have been stored.
  func expectNothingStored() throws(PostWriteFailure) { try expectStored(0, count: 0) }

  private func poisonPage() { unsafe memset(page.base, Int32(PostWriteRig.poison), page.count) }

  /// Lets the page be written, or only read.
  func protect(_ protection: MemoryMapping.Protection) throws(PostWriteFailure) {
    guard unsafe mprotect(page.base, page.count, protection.rawValue) == 0 else {
      throw PostWriteFailure("mprotect: \(Errno.current)")
    }
  }
}

/// Whether a case is about an ioeventfd with POST_WRITE, or about one without, that must behave alike but for the value.
enum Posting: CaseIterable, Sendable {
  case plain
  case posted

  var requirement: PostWriteCase.Requirement { self == .plain ? .anyKernel : .postWrite }

  /// The case's description for this kind of ioeventfd.
  func title(_ description: String) -> String {
    "\(self == .plain ? "ioeventfd without the flag" : "POST_WRITE"): \(description)"
  }

  /// The ioeventfd, with the slot if it is to post.
  func applied(to ioeventfd: IOEventFD, _ rig: borrowing PostWriteRig) -> IOEventFD {
    var ioeventfd = ioeventfd
    if self == .posted { ioeventfd.postAddress = rig.address() }
    return ioeventfd
  }

  /// So many signals must have come, and with POST_WRITE the value been stored; without it nothing.
  func expect(signals: UInt64, _ value: UInt64, count: Int, _ rig: borrowing PostWriteRig) throws(PostWriteFailure) {
    try rig.expectSignals(signals)
    if self == .posted { try rig.expectStored(value, count: count) } else { try rig.expectNothingStored() }
  }
}
