import Glibc
import LinuxIO
import Testing

@testable import Storage

@Suite struct BlockBackendTests {
  @Test func memoryKeepsWhatIsWritten() throws {
    let backend = try BlockBackend(memory: 8192 + 100)
    #expect(backend.size == 8192)
    #expect(backend.blockCount == 16)
    #expect(backend.deallocatedReadsZero)
    var source = (0..<1500).map { UInt8(truncatingIfNeeded: $0 * 7) }
    var first = [UInt8](repeating: 0, count: 512)
    var second = [UInt8](repeating: 0, count: 2048)
    source.withUnsafeMutableBytes { source in
      let parts = [
        iovec(iov_base: source.baseAddress.map { $0 + 1000 }, iov_len: 500),
        iovec(iov_base: source.baseAddress, iov_len: 1000),
      ]
      #expect(backend.handle.write(from: parts, count: 2, offset: 512) == 1500)
    }
    first.withUnsafeMutableBytes { first in
      second.withUnsafeMutableBytes { second in
        let parts = [
          iovec(iov_base: first.baseAddress, iov_len: 512), iovec(iov_base: second.baseAddress, iov_len: 2048),
        ]
        #expect(backend.handle.read(into: parts, count: 2, offset: 512) == 2560)
      }
    }
    #expect(first == Array(source[1000...]) + Array(source[..<12]))
    #expect(second == Array(source[12..<1000]) + [UInt8](repeating: 0, count: 1060))
  }

  @Test func memoryHasAnEnd() throws {
    let backend = try BlockBackend(memory: 4096, logicalBlockSize: .bytes4096, readOnly: true)
    #expect(backend.readOnly)
    #expect(backend.blockCount == 1)
    var buffer = [UInt8](repeating: 1, count: 1024)
    buffer.withUnsafeMutableBytes { buffer in
      var part = iovec(iov_base: buffer.baseAddress, iov_len: 1024)
      #expect(backend.handle.read(into: &part, count: 1, offset: 4000) == 96)
      #expect(backend.handle.write(from: &part, count: 1, offset: 4000) == 96)
      for offset in [4096, 4097, UInt64.max] {
        #expect(backend.handle.read(into: &part, count: 1, offset: offset) == -Int64(EFAULT))
        #expect(backend.handle.write(from: &part, count: 1, offset: offset) == -Int64(ENOSPC))
      }
      part.iov_len = .max
      #expect(backend.handle.write(from: &part, count: 1, offset: 4095) == 1)
    }
    #expect(buffer == [UInt8](repeating: 0, count: 96) + [UInt8](repeating: 1, count: 928))
  }

  @Test func nullMovesNothing() throws {
    let backend = try BlockBackend(null: 1 << 50)
    #expect(backend.blockCount == 1 << 41)
    var buffer = [UInt8](repeating: 9, count: 1024)
    buffer.withUnsafeMutableBytes { buffer in
      let parts = [iovec(iov_base: buffer.baseAddress, iov_len: 512), iovec(iov_base: nil, iov_len: 512)]
      #expect(backend.handle.read(into: parts, count: 2, offset: 0) == 1024)
      #expect(backend.handle.write(from: parts, count: 2, offset: 0) == 1024)
    }
    #expect(buffer == [UInt8](repeating: 9, count: 1024))
  }

  @Test func needsABlock() {
    #expect(throws: Errno.invalidArgument) { _ = try BlockBackend(memory: 511) }
    #expect(throws: Errno.invalidArgument) { _ = try BlockBackend(null: 4095, logicalBlockSize: .bytes4096) }
    #expect(throws: Errno.outOfMemory) { _ = try BlockBackend(memory: .max) }
  }

  @Test func anImageIsSeenThroughItsBackend() throws {
    let file = try TestImage(size: 10_000)
    let image = try DiskImage(
      path: file.path, options: ImageOptions(readOnly: true, logicalBlockSize: .bytes4096, cache: .buffered))
    let backend = BlockBackend(image: image)
    #expect(backend.image === image)
    #expect(backend.blockCount == 2)
    #expect(backend.readOnly)
    #expect(backend.identity == image.identity)
    #expect(backend.alignment == image.alignment)
    guard case .file(let fd) = backend.handle else {
      Issue.record("an image is a file")
      return
    }
    #expect(fd == image.fileDescriptor)
    var part = iovec(iov_base: nil, iov_len: 0)
    #expect(backend.handle.read(into: &part, count: 1, offset: 0) == -Int64(EINVAL))
    try file.resize(20_000)
    #expect(try image.refreshSize())
    #expect(backend.blockCount == 4)
  }
}
