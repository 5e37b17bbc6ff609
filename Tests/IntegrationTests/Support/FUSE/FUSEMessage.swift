import Glibc

/// The kernel's side of the FUSE protocol, as far as one file needs it (`include/uapi/linux/fuse.h`, version 7.31).
enum FUSE {
  /// `enum fuse_opcode`.
  enum Opcode: UInt32 {
    case forget = 2
    case getAttributes = 3
    case setAttributes = 4
    case open = 14
    case read = 15
    case write = 16
    case statistics = 17
    case release = 18
    case sync = 20
    case flush = 25
    case initialize = 26
    case access = 34
    case interrupt = 36
    case destroy = 38
    case batchForget = 42
    case allocate = 43
  }

  static let major: UInt32 = 7
  static let minor: UInt32 = 31
  static let inHeaderByteCount = 40
  static let outHeaderByteCount = 16
  /// Of `struct fuse_write_in`, behind which the data is.
  static let writeByteCount = 40
  /// Bytes of one read or write at most: 256 pages, which is what the kernel allows by default.
  static let maximumTransfer = 1 << 20
  /// In `flags` of `struct fuse_write_in`.
  static let dataSync = UInt32(O_DSYNC)

  /// `FUSE_INIT` flags.
  static let asynchronousRead: UInt32 = 1 << 0
  static let bigWrites: UInt32 = 1 << 5
  static let asynchronousDirectIO: UInt32 = 1 << 15
  static let writebackCache: UInt32 = 1 << 16
  static let maximumPages: UInt32 = 1 << 22

  /// `FUSE_OPEN` flags.
  static let openDirect: UInt32 = 1 << 0
  static let openKeepCache: UInt32 = 1 << 1
  static let openWithoutFlush: UInt32 = 1 << 5
  static let openParallelDirectWrites: UInt32 = 1 << 6
}

/// A request of the kernel: its header, and what follows.
struct FUSERequest {
  let opcode: UInt32
  let unique: UInt64
  let body: [UInt8]

  /// Nil for what is no request.
  init?(_ bytes: [UInt8], count: Int) {
    guard count >= FUSE.inHeaderByteCount else { return nil }
    let header = FUSERequest.words(bytes)
    opcode = header(4, UInt32.self)
    unique = header(8, UInt64.self)
    body = Array(bytes[FUSE.inHeaderByteCount..<count])
  }

  /// The word of the body at a byte offset; 0 beyond its end.
  func word<Word: FixedWidthInteger>(_ offset: Int, _ type: Word.Type = Word.self) -> Word {
    offset + MemoryLayout<Word>.size <= body.count ? FUSERequest.words(body)(offset, type) : 0
  }

  private static func words(_ bytes: [UInt8]) -> WordReader { WordReader(bytes: bytes) }

  private struct WordReader {
    let bytes: [UInt8]
    func callAsFunction<Word: FixedWidthInteger>(_ offset: Int, _: Word.Type) -> Word {
      bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Word.self) }
    }
  }
}

/// The bytes of a reply, or of a structure in one.
struct FUSEBytes {
  private(set) var bytes: [UInt8]

  init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  /// Appends a word.
  mutating func add<Word: FixedWidthInteger>(_ word: Word) {
    withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends zeros.
  mutating func pad(_ count: Int) { bytes.append(contentsOf: repeatElement(0, count: count)) }
}
