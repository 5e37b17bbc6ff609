/// Allocated guest memory, or a part of it.
///
/// The device may read and write the memory at any time: what is read here is a copy. Offsets are in bytes from the
/// start of the buffer; one that lies outside is a mistake of the program, and traps.
@safe public struct HostBuffer: Sendable {
  /// The memory that it is a part of.
  public let memory: HostMemory
  /// Where in the guest memory it begins.
  public let offset: Int
  /// Bytes.
  public let count: Int

  init(memory: HostMemory, offset: Int, count: Int) {
    self.memory = memory
    self.offset = offset
    self.count = count
  }

  /// The host's address of the first byte; valid as long as a copy of this buffer lives.
  @unsafe public var base: UnsafeMutableRawPointer { unsafe memory.base + offset }

  /// The address that the device uses for the first byte.
  public var iova: UInt64 { memory.iova(at: offset) }

  /// The address that the device uses for the byte at `position`.
  public func iova(at position: Int) -> UInt64 {
    precondition(position >= 0 && position < count)
    return memory.iova(at: offset + position)
  }

  /// A part of it.
  public subscript(range: Range<Int>) -> HostBuffer {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return HostBuffer(memory: memory, offset: offset + range.lowerBound, count: range.count)
  }

  /// A copy of its bytes.
  public var bytes: [UInt8] {
    unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: count))
  }

  /// Stores bytes from `position` on.
  public func store(_ bytes: [UInt8], at position: Int = 0) {
    precondition(position >= 0 && bytes.count <= count && position <= count - bytes.count)
    unsafe (base + position).copyMemory(from: bytes, byteCount: bytes.count)
  }

  /// Sets every byte.
  public func fill(_ byte: UInt8) {
    unsafe base.initializeMemory(as: UInt8.self, repeating: byte, count: count)
  }

  /// Loads a number or a struct of numbers, little-endian, aligned or not.
  public func load<Value: BitwiseCopyable>(_ type: Value.Type = Value.self, at position: Int) -> Value {
    precondition(position >= 0 && position <= count - MemoryLayout<Value>.size)
    return unsafe (base + position).loadUnaligned(as: Value.self)
  }

  /// Stores a number or a struct of numbers, little-endian, aligned or not.
  public func store<Value: BitwiseCopyable>(_ value: Value, at position: Int) {
    precondition(position >= 0 && position <= count - MemoryLayout<Value>.size)
    unsafe (base + position).storeBytes(of: value, as: Value.self)
  }
}
