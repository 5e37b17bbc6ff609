import LinuxIO

/// A disk with a volatile cache that notes in which order it was asked for what, and when it answered, so that its power
/// can be cut at any point of that order afterwards.
final class RecordedDisk: Sendable {
  /// What happened.
  enum Event: Sendable {
    /// A write came: any of it may be on the disk from now on.
    case write(offset: Int, bytes: [UInt8], isForced: Bool)
    /// Zeros were asked for: likewise.
    case clear(Range<Int>)
    /// What came with the event of this index was answered: a forced write is durable, everything else with the next
    /// sync that comes.
    case answer(Int)
    /// A sync came and was answered: all that had been answered before is durable. (What had only come is not.)
    case sync
  }

  private let content: RecordedDiskContent
  private let file: FUSEFile

  /// A disk of zeros.
  ///
  /// - Parameter isCached: through the page cache of the kernel, which writes late but waits for what it wrote before it
  ///   syncs, so that nothing is to be held there.
  init(byteCount: Int, isCached: Bool = false) throws {
    content = try RecordedDiskContent(byteCount: byteCount, mayHold: !isCached)
    file = try FUSEFile(content, hook: content, options: FUSEFile.Options(isCached: isCached))
  }

  /// See `FUSEFile`.
  func open() throws -> FileDescriptor { try file.open() }

  /// Ends it for good.
  func disconnect() { file.disconnect() }

  /// How large it is.
  var byteCount: Int { content.byteCount }

  /// How many events there are: what was acknowledged before this was asked is due to these.
  var position: Int { content.position }

  /// The events so far.
  var events: [Event] { content.events }

  /// From now on no sync succeeds, and none makes anything durable.
  func failSyncs(_ error: Errno) { content.failSyncs(error) }

  // MARK: Requests that last

  /// From now on some reads and writes are answered only after a random number of further requests. Who asks has to go on
  /// asking with some more than `RecordedDiskContent.maximumHeld` commands in flight, until `letGo()`.
  func hold() { content.hold(.some) }

  /// From now on no read or write is answered.
  func holdAll() { content.hold(.all) }

  /// Waits until so many are held.
  func awaitHeld(_ count: Int) throws { try content.awaitHeld(count) }

  /// Answers all, in any order.
  func letGo() {
    content.hold(.none)
    file.knock()
  }
}
