import CLinux
import LinuxIO

/// The owner of a BPF map: memory of the kernel that programs and this process use. Any thread.
///
/// Keys and values are values of trivial types of exactly the map's sizes.
public struct BPFMap: ~Copyable, Sendable {
  /// The map; programs name it by this.
  public let descriptor: FileDescriptor
  /// Bytes of a key.
  public let keySize: Int
  /// Bytes of a value.
  public let valueSize: Int

  /// A hash table of at most `entries` entries, whose memory is there from the beginning.
  ///
  /// - Parameters:
  ///   - name: shown by tools; at most 15 letters, digits and underscores.
  ///   - keySize: bytes of a key.
  ///   - valueSize: bytes of a value.
  ///   - entries: the most that it holds.
  public init(hash name: String, keySize: Int, valueSize: Int, entries: Int) throws(BPFError) {
    try self.init(BPF_MAP_TYPE_HASH.rawValue, name, keySize: keySize, valueSize: valueSize, entries: entries, flags: 0)
  }

  /// One element of `size` bytes that this process can map (`BPF_F_MMAPABLE`, Linux 5.5).
  ///
  /// Not an element for each word: elements are at least 8 bytes apart, and would have to be looked up.
  public init(memory name: String, size: Int) throws(BPFError) {
    try self.init(
      BPF_MAP_TYPE_ARRAY.rawValue, name, keySize: 4, valueSize: size, entries: 1, flags: UInt32(BPF_F_MMAPABLE))
  }

  private init(
    _ type: UInt32, _ name: String, keySize: Int, valueSize: Int, entries: Int, flags: UInt32
  ) throws(BPFError) {
    guard let key = UInt32(exactly: keySize), let value = UInt32(exactly: valueSize),
      let count = UInt32(exactly: entries)
    else { throw .map(.invalidArgument) }
    func create() -> Int32 { unsafe clinux_bpf_map_create(type, key, value, count, flags, name) }
    var number = create()
    if number < 0, Errno.current == .notPermitted {
      // Before Linux 5.11 maps count as locked memory, and their limit is answered with this error.
      clinux_raise_locked_memory()
      number = create()
    }
    guard number >= 0 else { throw .map(Errno.current) }
    descriptor = FileDescriptor(owning: number)
    self.keySize = keySize
    self.valueSize = valueSize
  }

  /// Maps the memory of a map made by `init(memory:size:)`, readable and writable. It outlives this owner.
  public borrowing func mapMemory() throws(BPFError) -> MemoryMapping {
    do throws(Errno) {
      return try MemoryMapping(fd: descriptor.rawValue, offset: 0, count: valueSize, [.read, .write])
    } catch { throw .map(error) }
  }

  /// The value of a key; nil where there is none.
  ///
  /// - Throws: the `errno` of `bpf(2)`; `EINVAL` for types of other sizes.
  public borrowing func value<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    of key: Key, initially value: Value
  ) throws(Errno) -> Value? {
    guard MemoryLayout<Key>.size == keySize, MemoryLayout<Value>.size == valueSize else { throw .invalidArgument }
    var value = value
    let number = descriptor.rawValue
    let result = unsafe withUnsafePointer(to: key) { key in unsafe clinux_bpf_map_lookup(number, key, &value) }
    if result == 0 { return value }
    let error = Errno.current
    if error == .noSuchFile { return nil }
    throw error
  }

  /// Adds an entry.
  ///
  /// - Throws: the `errno` of `bpf(2)`: `EEXIST` where the key has a value, `E2BIG` where the map is full; `EINVAL` for
  ///   types of other sizes.
  public borrowing func insert<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    _ key: Key, _ value: Value
  ) throws(Errno) {
    guard MemoryLayout<Key>.size == keySize, MemoryLayout<Value>.size == valueSize else { throw .invalidArgument }
    let number = descriptor.rawValue
    let result = unsafe withUnsafePointer(to: key) { key in
      unsafe withUnsafePointer(to: value) { value in
        unsafe clinux_bpf_map_update(number, key, value, UInt64(BPF_NOEXIST))
      }
    }
    if result != 0 { throw Errno.current }
  }

  /// Takes an entry out; none is no error. A run of a program that has found it already goes on with it.
  ///
  /// - Throws: `EINVAL` for a type of another size.
  public borrowing func remove<Key: BitwiseCopyable>(_ key: Key) throws(Errno) {
    guard MemoryLayout<Key>.size == keySize else { throw .invalidArgument }
    let number = descriptor.rawValue
    let result = unsafe withUnsafePointer(to: key) { key in unsafe clinux_bpf_map_delete(number, key) }
    if result != 0, Errno.current != .noSuchFile { throw Errno.current }
  }

  /// Whether there is no entry.
  public borrowing func isEmpty() -> Bool {
    unsafe withUnsafeTemporaryAllocation(byteCount: max(keySize, 1), alignment: 8) { next in
      unsafe clinux_bpf_map_next_key(descriptor.rawValue, nil, next.baseAddress) != 0
    }
  }
}
