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
