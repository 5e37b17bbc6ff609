import Glibc
import KVM
import LinuxIO
import Testing

@testable import MicroVMM

@Suite struct LinuxLoaderTests {
  private static let memorySize = 32 << 20

  /// A file that is gone at the end.
  private final class TemporaryFile {
    let path: String
    init(_ bytes: [UInt8]) throws {
      var template = Array("/tmp/nvmed-kernel-XXXXXX".utf8CString)
      let file = FileDescriptor(owning: mkstemp(&template))
      path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
      try #require(file.rawValue >= 0 && write(file.rawValue, bytes, bytes.count) == bytes.count)
    }
    deinit { unlink(path) }
  }

  private static func load(
    _ kernel: KernelFile, initramfs: [UInt8] = [1, 2, 3], commandLine: String = "quiet",
    into memory: borrowing MemoryMapping
  ) throws -> ProtectedModeEntry {
    let kernelFile = try TemporaryFile(kernel.bytes)
    let archive = try TemporaryFile(initramfs)
    let loader = LinuxLoader(kernel: kernelFile.path, initramfs: archive.path, commandLine: commandLine)
    return try loader.load(into: memory)
  }

  private static func bytes(_ memory: borrowing MemoryMapping, _ address: Int, _ count: Int) -> [UInt8] {
    [UInt8](UnsafeRawBufferPointer(start: memory.base + address, count: count))
  }

  private static func load(
    _ kernel: KernelFile, initramfs: [UInt8] = [1, 2, 3], commandLine: String = "quiet"
  ) throws -> ProtectedModeEntry {
    let memory = try MemoryMapping(anonymous: memorySize)
    return try load(kernel, initramfs: initramfs, commandLine: commandLine, into: memory)
  }

  @Test func everythingIsWhereTheStartInfoSays() throws {
    let memory = try MemoryMapping(anonymous: Self.memorySize)
    let entry = try Self.load(KernelFile(), commandLine: "console=ttyS0", into: memory)
    #expect(entry == ProtectedModeEntry(instructionPointer: 0x100_0000, ebx: 0x6000))
    #expect(Self.bytes(memory, 0x100_0000, 66) == Array(0..<64) + [0, 0])
    #expect(Self.bytes(memory, 0x6000, 4) == [0x78, 0xC5, 0x6E, 0x33])
    #expect(Self.bytes(memory, 0x2_0000, 14) == Array("console=ttyS0\0".utf8))
    #expect(Self.bytes(memory, 0xE_0000, 8) == Array("RSD PTR ".utf8))
    // As high as it can be.
    #expect(Self.bytes(memory, Self.memorySize - 4096, 4) == [1, 2, 3, 0])
    let info = StartInfo(
      initramfs: UInt64(Self.memorySize - 4096)..<UInt64(Self.memorySize - 4093),
      memory: StartInfo.memoryMap(UInt64(Self.memorySize)))
    #expect(Self.bytes(memory, 0x6000, info.encoded().count) == info.encoded())
  }

  @Test(arguments: [0xF_F000, 0x1FF_F000, 0x200_0000, 0x1_0000_0000, 0] as [UInt64])
  func aSegmentMustLieInHighMemory(address: UInt64) {
    var kernel = KernelFile()
    kernel.headers.append((1, 0x400, address, 64, 0x2000))
    #expect(throws: KernelImageError.segmentOutsideOfMemory(1)) { _ = try Self.load(kernel) }
  }

  @Test func kernelAndInitramfsMustNotOverlap() {
    var kernel = KernelFile()
    kernel.headers[0].memorySize = UInt64(Self.memorySize) - 0x100_0000 - 4096
    #expect(throws: Never.self) { _ = try Self.load(kernel) }
    #expect(throws: KernelImageError.initramfsDoesNotFit) {
      _ = try Self.load(kernel, initramfs: [UInt8](repeating: 1, count: 4097))
    }
    kernel.headers[0].memorySize += 1
    #expect(throws: KernelImageError.initramfsDoesNotFit) { _ = try Self.load(kernel) }
  }

  @Test func commandLines() {
    #expect(throws: Never.self) { _ = try Self.load(KernelFile(), commandLine: String(repeating: "x", count: 2047)) }
    #expect(throws: KernelImageError.badCommandLine) {
      _ = try Self.load(KernelFile(), commandLine: String(repeating: "x", count: 2048))
    }
    #expect(throws: KernelImageError.badCommandLine) { _ = try Self.load(KernelFile(), commandLine: "a\0b") }
  }

  @Test func files() throws {
    let kernel = try TemporaryFile(KernelFile().bytes)
    let empty = try TemporaryFile([])
    let memory = try MemoryMapping(anonymous: Self.memorySize)
    #expect(throws: KernelImageError.file("/nowhere", .noSuchFile)) {
      _ = try LinuxLoader(kernel: "/nowhere", initramfs: kernel.path, commandLine: "").load(into: memory)
    }
    #expect(throws: KernelImageError.noRegularFile(empty.path)) {
      _ = try LinuxLoader(kernel: kernel.path, initramfs: empty.path, commandLine: "").load(into: memory)
    }
    #expect(throws: KernelImageError.noRegularFile("/dev/zero")) {
      _ = try LinuxLoader(kernel: "/dev/zero", initramfs: kernel.path, commandLine: "").load(into: memory)
    }
    #expect(throws: KernelImageError.badMemorySize) {
      let small = try MemoryMapping(anonymous: 8 << 20)
      _ = try LinuxLoader(kernel: kernel.path, initramfs: kernel.path, commandLine: "").load(into: small)
    }
  }
}
