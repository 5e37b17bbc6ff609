import DeviceServer
import Glibc
import NVMeSpec
import Storage

@testable import VFIOUser

/// Whole sessions with a model of what must hold, whatever comes in between:
///
/// - Blocks read are those that were written; a write that was acknowledged is there for the next client too.
/// - What a flush, Force Unit Access or a write cache that is off covers is there after a loss of power; a flush that
///   fails is not made good by the next.
/// - A command completes once, and not before its I/O has ended.
/// - What takes memory, a namespace, a queue or the bus away is not answered while I/O in flight uses it; after the
///   answer nothing is touched any more.
/// - A controller that was reset works again.
///
/// The second namespace is on a disk whose requests stay in flight as long as the input says (`FuzzAIO`).
struct SessionTarget {
  nonisolated(unsafe) private static let server = InlineServer.forFuzzing(FuzzDisk.onDisk())
  /// Steps of an input at most.
  private static let stepLimit = 32
  static let ioQueues = 2
  /// Pages for doorbells in memory; no transfer of the model uses them.
  static let shadowPages = (shadow: 26, eventIndex: 27)

  let guest: FuzzGuest
  var input: FuzzInput
  /// By namespace, from 0.
  var disks = [BlockModel(), BlockModel()]
  /// Transfers in flight, by the pages that they use: two for each.
  var transfers = [Transfer?](repeating: nil, count: SessionTarget.transferLimit)
  static let transferLimit = 8
  /// Flushes in flight.
  var flushes = [Flush?](repeating: nil, count: 4)
  /// Whether a sync of the disk has failed since it was opened.
  var hasFailedSync = false
  /// Whether the write cache is known to be off.
  var isWriteThrough = false
  /// The status of the transfer that is waited for.
  var awaited: Status?
  /// Transfers that have failed.
  var failures = 0
  /// Whether requests of the disk stay in flight.
  var isHeld = false
  private var lastMark: UInt64 = 0

  static func test(_ bytes: [UInt8]) {
    var session = SessionTarget(bytes)
    session.run()
  }

  private init(_ bytes: [UInt8]) {
    input = FuzzInput(bytes)
    SessionTarget.renewImage()
    guest = FuzzGuest(FuzzHost(SessionTarget.server), ioQueues: SessionTarget.ioQueues)
  }

  var host: FuzzHost { guest.host }

  /// What an input has made of the disk's image is not the next one's.
  private static func renewImage() {
    let last = server.options.namespaces[1]?.backend.image
    if let last, last === firstImage, !last.writeCacheFailed { return }
    let image = FuzzImage.make(.direct)
    firstImage = image
    server.options.namespaces[1] = FuzzDisk.namespace(on: image)
  }

  /// The image that an input begins with.
  nonisolated(unsafe) private static var firstImage: DiskImage?

  private mutating func run() {
    var steps = 0
    while !input.isEmpty, host.isConnected, steps < SessionTarget.stepLimit {
      steps += 1
      if !step(input.byte()) { break }
    }
    end()
  }

  /// One step; false where the session is over.
  private mutating func step(_ choice: UInt8) -> Bool {
    switch choice & 31 {
    case 0...3: transfer(.write)
    case 4...7: transfer(.read)
    case 8: hold()
    case 9: flush()
    case 10...11: finishOne()
    case 12: release()
    case 13: abort()
    case 14: unmap()
    case 15: restart()
    case 16: reset()
    case 17: recreateQueue()
    case 18: pauseBusMaster()
    case 19: changeNamespace()
    case 20: drain()
    case 21: useShadowDoorbells()
    case 22: truncate()
    case 23: reconnect()
    case 24: invalidDoorbell()
    case 25...26: anyCommand()
    case 27: losePower()
    case 28: anyAdminCommand()
    case 29: turnCacheOff()
    case 30: verify()
    default:
      send(input.rest(Int(input.byte())))
      return false
    }
    return true
  }

  /// What is left of a message would be the beginning of the model's next one: nothing comes after it.
  private func send(_ bytes: [UInt8]) {
    host.flush()
    host.send(bytes)
    host.settle()
    host.discardReplies()
  }

  /// The client goes, with what it has in flight.
  private mutating func end() {
    host.disconnect()
    host.settle()
    // What reads into its memory is waited for before that is unmapped.
    require(FuzzAIO.pending == 0 || host.server.isServing, "a client is forgotten whose I/O is in flight")
    host.end()
    FuzzMemory.checkGuards()
  }

  /// A number that no write had before.
  mutating func nextMark() -> UInt64 {
    lastMark += 1
    return lastMark
  }
}
