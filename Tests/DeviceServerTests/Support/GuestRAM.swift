import Glibc
import LinuxIO

/// A guest's memory: a file without seals as some VMMs make it, so that it can be cut short, and the guest's own view.
final class GuestRAM {
  static let page = 4096

  let file: FileDescriptor
  private let name: String
  private let view: MemoryMapping

  init(pages: Int) throws {
    // A name that is gone before anybody else can look for it.
    name = "/nvmed-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    let number = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw Errno.current }
    shm_unlink(name)
    let file = FileDescriptor(owning: number)
    guard ftruncate(number, pages * GuestRAM.page) == 0 else { throw Errno.current }
    view = try MemoryMapping(fd: number, offset: 0, count: pages * GuestRAM.page, [.read, .write])
    self.file = file
  }

  var descriptor: Int32 { file.rawValue }
  var size: UInt64 { UInt64(view.count) }

  /// How many mappings of it the process has beside the guest's own view: those of the server.
  func mappings() throws -> Int {
    guard let maps = fopen("/proc/self/maps", "re") else { throw Errno.current }
    defer { fclose(maps) }
    var line = [CChar](repeating: 0, count: 4096)
    var count = 0
    while fgets(&line, Int32(line.count), maps) != nil {
      let text = line.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if text.contains(name) { count += 1 }
    }
    return count - 1
  }

  /// Cuts the file: what lies behind `size` is gone for everybody.
  func truncate(_ size: Int) throws { if ftruncate(descriptor, size) != 0 { throw Errno.current } }

  /// Stores a number.
  func store<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    view.base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
  }

  /// Stores bytes.
  func store(_ bytes: [UInt8], at offset: Int) {
    for (index, byte) in bytes.enumerated() {
      view.base.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
    }
  }

  /// Loads a number.
  func load<Value: FixedWidthInteger>(_ offset: Int, as type: Value.Type = Value.self) -> Value {
    Value(littleEndian: view.base.loadUnaligned(fromByteOffset: offset, as: Value.self))
  }

  /// Loads bytes.
  func bytes(_ offset: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { view.base.load(fromByteOffset: offset + $0, as: UInt8.self) }
  }

  /// Fills a range.
  func fill(_ byte: UInt8, _ offset: Int, _ count: Int) { memset(view.base + offset, Int32(byte), count) }

  /// The 64-bit half of a completion that holds its phase tag: loaded with acquire order, before the other half.
  func word(at offset: Int) -> SharedWord { SharedWord(at: view.base + offset) }
}
