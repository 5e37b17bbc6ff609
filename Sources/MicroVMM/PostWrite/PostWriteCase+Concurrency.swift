import KVM
import LinuxIO

extension PostWriteCase {
  /// What another thread sees of the slot while the guest writes.
  static let concurrencyCases: [PostWriteCase] =
    ([2, 4, 8] as [Int]).map { width in
      PostWriteCase("POST_WRITE: no half of a value of \(width) is ever seen", .postWrite, deadline: 120_000) {
        kick throws(PostWriteFailure) in try neverTears(kick, width: width)
      }
    } + [
      PostWriteCase(
        "POST_WRITE: who has read n signals finds the nth value or a later one", .postWrite, deadline: 120_000,
        storesBeforeItSignals)
    ]

  /// Doorbells of one case.
  private static let doorbellCount: UInt32 = 20_000

  /// Two values without a byte in common, in their low two bytes and, with 8 bytes, in the others too.
  private static func alternatives(width: Int) -> [UInt64] {
    width == 8 ? [0x0000_FFFF_00FF_00FF, 0xFFFF_0000_0100_0100] : [0x00FF, 0x0100]
  }

  private static func neverTears(_ kick: VCPUKick, width: Int) throws(PostWriteFailure) {
    let values = alternatives(width: width)
    var rig = try PostWriteRig(kick) {
      for (index, value) in values.enumerated() {
        let place = UInt16(0x800 + 8 * index)
        $0.mov(.at(place), UInt32(truncatingIfNeeded: value))
        $0.mov(.at(place + 4), UInt32(truncatingIfNeeded: value >> 32))
      }
      $0.mov(.ecx, doorbellCount / 2)
      let next = $0.here()
      for (place, register) in [(0x800, .mm0), (0x808, .mm1)] as [(UInt16, Assembler.MMXRegister)] {
        switch width {
        case 8:
          $0.movq(register, .at(place))
          $0.movq(.fs(0), register)
        case 4:
          $0.mov(.eax, .at(place))
          $0.mov(.fs(0), .eax)
        default:
          $0.mov(.eax, .at(place))
          $0.movAX(.fs(0))
        }
      }
      $0.dec(.ecx)
      $0.j(.notEqual, next)
      $0.hlt()
    }
    unsafe rig.page.base.storeBytes(of: values[0], as: UInt64.self)
    var ioeventfd = rig.plain(UInt32(width))
    ioeventfd.postAddress = rig.address()
    try rig.assign(ioeventfd)
    let watcher = unsafe SlotWatcher(slot: rig.page.base, width: width, values: values)
    try run(&rig, beside: watcher.watch, stop: watcher.stop)
    try rig.expectSignals(UInt64(doorbellCount))
    let last = unsafe rig.page.base.load(as: UInt64.self) & (width == 8 ? .max : (1 << UInt64(8 * width)) - 1)
    guard last == values[1] else { throw PostWriteFailure("the last value is 0x\(String(last, radix: 16))") }
    let sighting = watcher.result
    guard sighting.torn == 0 else {
      let example = String(sighting.example ?? 0, radix: 16)
      throw PostWriteFailure("\(sighting.torn) of \(sighting.looks) looks found halves, such as 0x\(example)")
    }
  }

  private static func storesBeforeItSignals(_ kick: VCPUKick) throws(PostWriteFailure) {
    var rig = try PostWriteRig(kick) {
      $0.mov(.eax, 0)
      $0.mov(.ecx, doorbellCount)
      let next = $0.here()
      $0.inc(.eax)
      $0.mov(.fs(0), .eax)
      $0.dec(.ecx)
      $0.j(.notEqual, next)
      $0.hlt()
    }
    let slot = unsafe SharedWord(at: rig.page.base)
    slot.store(0)
    try rig.assign(Posting.posted.applied(to: rig.plain(4), rig))
    let reader: SignalReader
    do throws(Errno) { reader = SignalReader(try rig.event.duplicate(), slot) } catch {
      throw PostWriteFailure("no eventfd: \(error)")
    }
    try run(&rig, beside: reader.read, stop: reader.stop)
    let sighting = reader.result
    guard sighting.early == 0 else {
      throw PostWriteFailure("\(sighting.early) of \(sighting.wakeups) wake-ups came before their value")
    }
    guard sighting.signals == UInt64(doorbellCount) else {
      throw PostWriteFailure("\(sighting.signals) signals, not \(doorbellCount)")
    }
  }

  /// Runs the guest until it halts, and `body` on another thread, until `stop` ends that.
  private static func run(
    _ rig: inout PostWriteRig, beside body: @escaping @Sendable () -> Void, stop: () -> Void
  ) throws(PostWriteFailure) {
    let thread: Thread
    do throws(Errno) { thread = try Thread(name: "reader", body) } catch {
      throw PostWriteFailure("no thread: \(error)")
    }
    var failure: PostWriteFailure?
    do throws(PostWriteFailure) { try rig.expectExit(.halt) } catch { failure = error }
    stop()
    thread.join()
    if let failure { throw failure }
  }
}
