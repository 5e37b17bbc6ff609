import Glibc
import LinuxIO
import Testing

@testable import Storage

@Suite struct ImageClaimsTests {
  private func open(_ file: TestImage, _ descriptor: borrowing FileDescriptor, readOnly: Bool) throws -> DiskImage {
    try DiskImage(
      descriptor: try descriptor.duplicate(), name: "disk",
      options: ImageOptions(readOnly: readOnly, cache: .buffered))
  }

  /// Two descriptors of one opening have the same locks; they are told apart all the same.
  @Test func oneOpeningIsNotTwoImages() throws {
    let file = try TestImage(size: 4096)
    let opening = try FileDescriptor(path: file.path, flags: O_RDWR)
    var image: DiskImage? = try open(file, opening, readOnly: false)
    for readOnly in [false, true] {
      #expect(throws: ImageError(path: "disk", reason: .usedTwice)) {
        _ = try open(file, opening, readOnly: readOnly)
      }
    }
    #expect(image?.size == 4096)
    image = nil
    _ = try open(file, opening, readOnly: false)
  }

  /// The locks are of two openings, and would tell of another process.
  @Test func oneImageByTwoPaths() throws {
    let file = try TestImage(size: 4096)
    let link = file.path + ".link"
    #expect(symlink(file.path, link) == 0)
    defer { unlink(link) }
    let image = try DiskImage(path: file.path, options: ImageOptions(cache: .buffered))
    for readOnly in [false, true] {
      #expect(throws: ImageError(path: link, reason: .usedTwice)) {
        _ = try DiskImage(path: link, options: ImageOptions(readOnly: readOnly, cache: .buffered))
      }
    }
    withExtendedLifetime(image) {}
  }

  /// What is claimed and then refused for another reason is free again.
  @Test func aRefusedImageIsNotClaimed() throws {
    let file = try TestImage(size: 512)
    let blocks = ImageOptions(logicalBlockSize: .bytes4096, cache: .buffered)
    for _ in 0..<2 {
      #expect(throws: ImageError(path: file.path, reason: .tooSmall(size: 512, blockSize: .bytes4096))) {
        _ = try DiskImage(path: file.path, options: blocks)
      }
    }
    #expect(try DiskImage(path: file.path, options: ImageOptions(cache: .buffered)).size == 512)
  }

  @Test func readersShare() {
    let identity = ImageIdentity(device: 1 << 60, inode: UInt64(getpid()))
    #expect(ImageClaims.claim(identity, readOnly: true))
    #expect(ImageClaims.claim(identity, readOnly: true))
    #expect(!ImageClaims.claim(identity, readOnly: false))
    ImageClaims.release(identity, readOnly: true)
    #expect(!ImageClaims.claim(identity, readOnly: false))
    ImageClaims.release(identity, readOnly: true)
    #expect(ImageClaims.claim(identity, readOnly: false))
    #expect(!ImageClaims.claim(identity, readOnly: true))
    ImageClaims.release(identity, readOnly: false)
  }
}
