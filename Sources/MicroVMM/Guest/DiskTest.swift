import NVMeSpec

/// A guest that drives an NVMe controller as a driver does: enables it, makes an I/O queue pair with an interrupt,
/// writes pages with a pattern, reads them back and compares.
///
/// Every completion, of the admin queue too, is awaited with HLT until its interrupt has come, and then must be there:
/// a lost interrupt hangs the guest, and one that comes before its completion is a failure.
public struct DiskTest: Equatable, Sendable {
  /// What the guest reports.
  public enum Result: UInt32, Sendable {
    /// All pages came back as they were written.
    case passed = 0
    /// CSTS.CFS is set.
    case controllerFatal
    /// An interrupt came without a new completion.
    case noCompletion
    /// A command failed, or the completion is another command's; see `Report.detail`.
    case commandFailed
    /// A page did not come back as it was written; see `Report.page`.
    case mismatch
  }

  /// What the guest leaves in its memory.
  public struct Report: Equatable, Sendable {
    /// Interrupts of the admin completion queue.
    public var adminInterrupts: UInt32
    /// Interrupts of the I/O completion queue.
    public var ioInterrupts: UInt32
    /// The page that the guest was at, from 0; `pageCount` at the end.
    public var page: UInt32
    /// Dword 3 of the last completion: command identifier, phase tag and status.
    public var detail: UInt32
  }

  /// Pages of 4 KiB to write and read, from the first block on: 1 to 32,000, as every command has its own identifier.
  public var pageCount: UInt32
  /// Bytes of a logical block: 512 or 4096.
  public var blockSize: UInt32
  /// Entries of the I/O queues, 2 to 64; few, so that they wrap.
  public var queueSize: UInt16

  /// Describes a test.
  public init(pageCount: UInt32, blockSize: UInt32 = 512, queueSize: UInt16 = 4) {
    self.pageCount = pageCount
    self.blockSize = blockSize
    self.queueSize = queueSize
  }

  /// Bytes of a page.
  public static let pageSize = 4096
  /// The vectors of the CPU that MSI-X vectors 0 (admin) and 1 (I/O) are routed to.
  public static let interruptVectors: [UInt8] = [0x30, 0x31]

  /// The commands that it sends to the admin queue.
  public static let adminCommandCount = 2
  /// The commands that it sends to the I/O queue.
  public var ioCommandCount: Int { Int(pageCount) * 2 }

  /// What it writes to a page.
  public static func pattern(page: UInt32) -> [UInt8] {
    var word = page &* pageFactor
    var bytes: [UInt8] = []
    for _ in 0..<pageSize / 4 {
      for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
      word = word &+ wordStep
    }
    return bytes
  }

  /// Reads what the guest left; nil where the memory is too short.
  public static func report(_ memory: [UInt8]) -> Report? {
    guard memory.count >= GuestProgram.memorySize else { return nil }
    func word(_ address: UInt16) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(memory[Int(address) + $1]) << UInt32(8 * $1) }
    }
    return Report(
      adminInterrupts: word(Layout.admin.interrupts), ioInterrupts: word(Layout.io.interrupts),
      page: word(Layout.page), detail: word(Layout.detail))
  }

  /// The first word of a page is its number times this; odd, so that no two are equal.
  static let pageFactor: UInt32 = 0x9E37_79B1
  /// What is added from word to word.
  static let wordStep: UInt32 = 0x0100_0193

  /// The variables of one queue pair, and where its memory and doorbells are.
  struct Queue {
    /// How many commands were sent.
    let sent: UInt16
    /// How many interrupts came.
    let interrupts: UInt16
    /// The next entry of the submission queue.
    let tail: UInt16
    /// The next entry of the completion queue.
    let head: UInt16
    /// The phase tag of a new completion, where it lies in dword 3.
    let phase: UInt16
    /// The submission queue.
    let submissionQueue: UInt16
    /// The completion queue.
    let completionQueue: UInt16
    /// The queue identifier.
    let identifier: UInt16
  }

  /// Where things are in the guest's memory.
  enum Layout {
    static let page: UInt16 = 0x0500
    static let detail: UInt16 = 0x0504
    static let admin = Queue(
      sent: 0x0510, interrupts: 0x0514, tail: 0x0518, head: 0x051C, phase: 0x0520, submissionQueue: 0x3000,
      completionQueue: 0x4000, identifier: 0)
    static let io = Queue(
      sent: 0x0530, interrupts: 0x0534, tail: 0x0538, head: 0x053C, phase: 0x0540, submissionQueue: 0x5000,
      completionQueue: 0x6000, identifier: 1)
    static let writeBuffer: UInt16 = 0x7000
    static let readBuffer: UInt16 = 0x8000
  }
}
