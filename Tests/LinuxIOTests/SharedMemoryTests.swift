import CLinux
import Glibc
import Testing

@testable import LinuxIO

@Suite struct SharedMemoryTests {
  @Test func isZeroAndOfTheSizeAskedFor() throws {
    let memory = try SharedMemory(name: "nvmed-test-size", count: 12_288)
    #expect(try memory.descriptor.status().st_size == 12_288)
    #expect(memory.mapping.count == 12_288)
    #expect(UnsafeRawBufferPointer(start: memory.mapping.base, count: 12_288).allSatisfy { $0 == 0 })
    #expect(fcntl(memory.descriptor.rawValue, F_GETFD) & FD_CLOEXEC != 0)
    #expect(try isMapped("nvmed-test-size"))
  }

  @Test func aPeerCanNeitherShrinkNorGrowItNorChangeTheSeals() throws {
    let memory = try SharedMemory(name: "sealed", count: 8192)
    let number = memory.descriptor.rawValue
    #expect(clinux_get_seals(number) == Int32(CLINUX_F_SEAL_SHRINK | CLINUX_F_SEAL_GROW | CLINUX_F_SEAL_SEAL))
    for size in [0, 4096, 8191, 8193, 1 << 20] {
      #expect(ftruncate(number, size) == -1 && errno == EPERM, "\(size)")
    }
    #expect(clinux_add_seals(number, Int32(CLINUX_F_SEAL_WRITE)) == -1 && errno == EPERM)
    // KVM and the client write to it.
    var value: UInt32 = 0x0102_0304
    #expect(pwrite(number, &value, 4, 8) == 4)
    #expect(memory.mapping.base.load(fromByteOffset: 8, as: UInt32.self) == 0x0102_0304)
  }

  @Test func emptyMemoryIsRefusedAndLeavesNothing() throws {
    #expect(throws: Errno.invalidArgument) { _ = try SharedMemory(name: "nvmed-test-empty", count: 0) }
    #expect(throws: Errno.invalidArgument) { _ = try SharedMemory(name: "nvmed-test-empty", count: -1) }
    #expect(throws: Errno.invalidArgument) {
      _ = try SharedMemory(name: String(repeating: "n", count: 250), count: 4096)
    }
  }
}
