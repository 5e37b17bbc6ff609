import LinuxIO

/// What is behind a `FUSEFile`.
///
/// The threads that ask have no descriptors of this process. Where there are several, they ask at once.
protocol FUSEFileContent: Sendable {
  var byteCount: Int { get }
  /// Reads a range inside.
  func read(_ range: Range<Int>) throws(Errno) -> [UInt8]
  /// Writes; durable at once where `isForced` (`O_DSYNC`, `RWF_DSYNC`).
  func write(_ bytes: ArraySlice<UInt8>, at offset: Int, isForced: Bool) throws(Errno)
  /// `fsync(2)` and `fdatasync(2)`.
  func sync() throws(Errno)
  /// `fallocate(2)`: a range inside reads as zeros from now on.
  func clear(_ range: Range<Int>, deallocates: Bool) throws(Errno)
}

/// Who decides what becomes of the requests to a `FUSEFile`, on the threads that serve it.
protocol FUSEFileHook: Sendable {
  /// A request has come.
  func arrived(_ request: FUSEFileRequest) -> FUSEFileRequest.Effect
  /// What was held and is to go on now. Asked after each request and each `FUSEFile.knock()`.
  func takeReleased() -> [FUSEFileRelease]
  /// A request was done as it should be, and is about to be answered.
  func answers(_ request: FUSEFileRequest)
}

extension FUSEFileHook {
  func takeReleased() -> [FUSEFileRelease] { [] }
  func answers(_ request: FUSEFileRequest) {}
}

/// Lets every request be done.
struct FUSEFilePerformer: FUSEFileHook {
  func arrived(_ request: FUSEFileRequest) -> FUSEFileRequest.Effect { .perform }
}

/// The end of a request's being held.
struct FUSEFileRelease: Sendable {
  let identifier: UInt64
  /// The errno that it is answered with; 0: it is done.
  var error: Int32 = 0
}

/// A request for the content of a file.
struct FUSEFileRequest: Sendable {
  /// What is asked for.
  enum Operation: Sendable, CaseIterable {
    case read
    case write
    /// `fsync(2)` and `fdatasync(2)`.
    case sync
    /// `fallocate(2)`.
    case allocate
  }

  /// What becomes of it.
  enum Effect: Sendable {
    /// It is done.
    case perform
    /// It does nothing and fails.
    case error(Int32)
    /// So many bytes of it are transferred.
    case short(Int)
    /// It is not answered, and does nothing, until the hook releases it.
    case hold
  }

  /// No two that are not answered have the same.
  let identifier: UInt64
  let operation: Operation
  /// Which bytes; none of a sync, which has all.
  let range: Range<Int>
  /// Of a write.
  let data: ArraySlice<UInt8>
  /// Whether a write asks to be durable.
  let isForced: Bool
  /// Whether an allocation asks for a hole.
  let deallocates: Bool

  /// Nil for what is no such request.
  init?(_ request: FUSERequest) {
    identifier = request.unique
    let offset = Int(clamping: request.word(8, UInt64.self))
    let count: Int
    switch FUSE.Opcode(rawValue: request.opcode) {
    case .read: (operation, count) = (.read, Int(request.word(16, UInt32.self)))
    case .write: (operation, count) = (.write, Int(request.word(16, UInt32.self)))
    case .allocate: (operation, count) = (.allocate, Int(clamping: request.word(16, UInt64.self)))
    case .sync: (operation, count) = (.sync, 0)
    default: return nil
    }
    let end = offset.addingReportingOverflow(count)
    range = operation == .sync ? 0..<0 : offset..<(end.overflow ? Int.max : end.partialValue)
    data = operation == .write ? request.body.dropFirst(FUSE.writeByteCount).prefix(count) : []
    // `flags` of `struct fuse_write_in`: those of the file and of this call.
    isForced = operation == .write && request.word(32, UInt32.self) & FUSE.dataSync != 0
    // FALLOC_FL_PUNCH_HOLE; zeroed ranges are the others asked for.
    deallocates = operation == .allocate && request.word(24, UInt32.self) & 2 != 0
  }
}
