import Glibc
import LinuxIO

/// A disk image that fails as it is told.
///
/// What nvmed gets of it came through the kernel and its asynchronous I/O as from any other disk: errors, short
/// transfers, requests that do not finish.
final class FaultDisk: Sendable {
  /// What a test may want of it.
  struct Options: Sendable {
    /// See `FUSEFile.Options`.
    var isAsynchronous = true
    var isCached = false
    /// Of the faults that strike by chance.
    var seed: UInt64 = 1
  }

  private let content: FaultDiskContent
  private let file: FUSEFile

  /// Makes a disk of zeros.
  init(byteCount: Int, options: Options = Options()) throws {
    content = FaultDiskContent(byteCount: byteCount, seed: options.seed)
    file = try FUSEFile(
      content, hook: content,
      options: FUSEFile.Options(isAsynchronous: options.isAsynchronous, isCached: options.isCached))
  }

  /// See `FUSEFile`.
  func open() throws -> FileDescriptor { try file.open() }

  /// Takes the disk away for good: every request, those that are held too, fails.
  func disconnect() { file.disconnect() }

  // MARK: What a test does with it

  /// Adds a fault; those added first strike first.
  func inject(_ fault: Fault) { content.inject(fault) }

  /// All is well from now on; what is held stays so.
  func repair() { content.repair() }

  /// Its content.
  var bytes: [UInt8] { content.bytes }

  /// Makes it longer or shorter, as somebody else on this host might.
  func resize(to byteCount: Int) { content.resize(to: byteCount) }

  /// How many requests of a kind have come so far.
  func count(_ operation: Fault.Operation) -> Int { content.count(operation) }

  /// How many requests are held.
  var heldCount: Int { content.heldCount }

  /// Waits until so many requests are held.
  func awaitHeld(_ count: Int) throws { try content.awaitHeld(count) }

  /// Does what is held, or lets it fail with an errno.
  func release(failingWith error: Int32 = 0) {
    content.release(failingWith: error)
    file.knock()
  }
}
