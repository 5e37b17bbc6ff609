import Glibc
import Testing

@testable import LinuxIO

/// Whether a line of this process's memory map ends in `name`.
func isMapped(_ name: String) throws -> Bool {
  guard let maps = fopen("/proc/self/maps", "re") else { throw Errno.current }
  defer { fclose(maps) }
  var line = [CChar](repeating: 0, count: 4096)
  while fgets(&line, Int32(line.count), maps) != nil {
    let text = line.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if text.contains(name) { return true }
  }
  return false
}

@Suite struct MemoryMappingTests {
  @Test func showsTheFileFromAnOffsetOn() throws {
    let memory = try SharedMemory(name: "offset", count: 3 * 4096)
    memory.mapping.base.storeBytes(of: 0x1122_3344, toByteOffset: 4096, as: UInt32.self)
    let second = try MemoryMapping(fd: memory.descriptor.rawValue, offset: 4096, count: 8192, [.read, .write])
    #expect(second.count == 8192)
    #expect(second.base.load(as: UInt32.self) == 0x1122_3344)
    // Shared: a store is seen through the other mapping.
    second.base.storeBytes(of: 0x5566_7788, toByteOffset: 4096, as: UInt32.self)
    #expect(memory.mapping.base.load(fromByteOffset: 8192, as: UInt32.self) == 0x5566_7788)
  }

  @Test func endsWithItsOwner() throws {
    let name = "nvmed-test-ends-with-its-owner"
    let memory = try SharedMemory(name: name, count: 4096)
    let number = memory.descriptor.duplicateNumber()
    let descriptor = FileDescriptor(owning: number)
    #expect(try isMapped(name))
    _ = consume memory
    #expect(try !isMapped(name))
    do {
      let mapping = try MemoryMapping(fd: descriptor.rawValue, offset: 0, count: 4096, .read)
      #expect(mapping.base.load(as: UInt8.self) == 0)
      #expect(try isMapped(name))
    }
    #expect(try !isMapped(name))
  }

  @Test func anonymousMemoryIsZeroAndWritable() throws {
    let mapping = try MemoryMapping(anonymous: 1 << 20)
    #expect(mapping.count == 1 << 20)
    #expect(UnsafeRawBufferPointer(start: mapping.base, count: mapping.count).allSatisfy { $0 == 0 })
    mapping.base.storeBytes(of: 7, toByteOffset: (1 << 20) - 1, as: UInt8.self)
    #expect(mapping.base.load(fromByteOffset: (1 << 20) - 1, as: UInt8.self) == 7)
  }

  @Test func aReadOnlyFileCanOnlyBeMappedForReading() throws {
    let memory = try SharedMemory(name: "read-only", count: 4096)
    let readOnly = try FileDescriptor(path: "/proc/self/fd/\(memory.descriptor.rawValue)", flags: O_RDONLY)
    _ = try MemoryMapping(fd: readOnly.rawValue, offset: 0, count: 4096, .read)
    #expect(throws: Errno.accessDenied) {
      _ = try MemoryMapping(fd: readOnly.rawValue, offset: 0, count: 4096, [.read, .write])
    }
  }

  @Test func tellsWhatMmapSays() throws {
    let memory = try SharedMemory(name: "errors", count: 8192)
    let number = memory.descriptor.rawValue
    #expect(throws: Errno.invalidArgument) { _ = try MemoryMapping(fd: number, offset: 0, count: 0, .read) }
    #expect(throws: Errno.invalidArgument) { _ = try MemoryMapping(fd: number, offset: 512, count: 4096, .read) }
    #expect(throws: Errno.badFileDescriptor) { _ = try MemoryMapping(fd: -1, offset: 0, count: 4096, .read) }
    #expect(throws: Errno.outOfMemory) { _ = try MemoryMapping(fd: number, offset: 0, count: 1 << 62, .read) }
    #expect(throws: Errno.outOfMemory) { _ = try MemoryMapping(anonymous: 1 << 62) }
    #expect(throws: Errno.invalidArgument) { _ = try MemoryMapping(anonymous: 0) }
    let pair = try UnixSocketPair()
    #expect(throws: Errno(rawValue: ENODEV)) {
      _ = try MemoryMapping(fd: pair.first.rawValue, offset: 0, count: 4096, .read)
    }
  }
}

extension FileDescriptor {
  fileprivate borrowing func duplicateNumber() -> Int32 { fcntl(rawValue, F_DUPFD_CLOEXEC, 0) }
}
