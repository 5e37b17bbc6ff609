import Glibc
import LinuxIO
import Storage
import Testing

@testable import Daemon

@Suite struct NamespaceIdentifiersTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func image(_ name: String) throws -> DiskImage {
    let path = try folder.image(name, byteCount: 1 << 20)
    return try DiskImage(path: path, options: ImageOptions(cache: .buffered, lock: false))
  }

  private static func identifiers(
    _ image: DiskImage?, serial: String = "S", nsid: UInt32 = 1, others: [String] = []
  ) -> NamespaceIdentifiers {
    NamespaceIdentifiers(serial: serial, nsid: nsid, image: image, others: others)
  }

  /// They are what guests have disks by: the bytes never change.
  @Test func bytes() {
    let identifiers = NamespaceIdentifiers(serial: "disk0", identity: "file disk0.img")
    #expect(uuidText(identifiers.uuid) == "581ace40-fc64-8912-943a-d7c927071f29")
    #expect(hexadecimal(identifiers.nguid) == "3a1db98881c182cdb2646dc72ec056a3")
    #expect(hexadecimal(identifiers.eui64) == "3200b1b267d4f3eb")
    #expect(NamespaceIdentifiers.serial(of: "/srv/disk.img") == "NVMED-1c6fd98505d259")
  }

  @Test(arguments: ["", "S", "disk0", "a-very-long-serial-no"], ["file a", "nsid 1", "nsid 2", "wwid naa.5000c5001"])
  func form(_ serial: String, _ identity: String) {
    let identifiers = NamespaceIdentifiers(serial: serial, identity: identity)
    #expect(identifiers.uuid.count == 16 && identifiers.nguid.count == 16 && identifiers.eui64.count == 8)
    #expect(identifiers.uuid[6] >> 4 == 8 && identifiers.uuid[8] >> 6 == 2, "version 8, variant 10b")
    #expect(identifiers.nguid[8] & 3 == 2 && identifiers.eui64[0] & 3 == 2, "locally administered, of one device")
  }

  /// Another place in the list, another folder or a restart change nothing; another serial number or name does.
  @Test func followTheFile() throws {
    let first = try image("disk.img")
    let identifiers = NamespaceIdentifiersTests.identifiers(first)
    #expect(NamespaceIdentifiersTests.identifiers(first, nsid: 7, others: ["/srv/other.img"]) == identifiers)
    let elsewhere = try TestFolder()
    let moved = elsewhere.file("disk.img")
    try #require(rename(first.path, moved) == 0)
    let reopened = try DiskImage(path: moved, options: ImageOptions(cache: .buffered, lock: false))
    #expect(NamespaceIdentifiersTests.identifiers(reopened) == identifiers)
    #expect(NamespaceIdentifiersTests.identifiers(reopened, serial: "T") != identifiers)
    #expect(NamespaceIdentifiersTests.identifiers(try image("disk2.img")) != identifiers)
  }

  /// A descriptor that was handed over has the identifiers of its file, whatever it is called.
  @Test func followAHandedOverFile() throws {
    let path = try folder.image("disk.img", byteCount: 1 << 20)
    let options = ImageOptions(cache: .buffered, lock: false)
    let byPath = NamespaceIdentifiersTests.identifiers(try DiskImage(path: path, options: options))
    let byNumber = NamespaceIdentifiersTests.identifiers(
      try DiskImage(
        descriptor: try FileDescriptor(path: path, flags: O_RDWR), name: "descriptor 5", options: options))
    #expect(byPath == byNumber)
  }

  @Test func differWithinAController() throws {
    let image = try image("disk.img")
    let alone = NamespaceIdentifiersTests.identifiers(image)
    let beside = NamespaceIdentifiersTests.identifiers(image, others: ["/elsewhere/disk.img"])
    #expect(beside != alone, "by their paths")
    let first = NamespaceIdentifiersTests.identifiers(image, nsid: 1, others: [image.path])
    let second = NamespaceIdentifiersTests.identifiers(image, nsid: 2, others: [image.path])
    #expect(first != second, "the same image twice")
    #expect(NamespaceIdentifiersTests.identifiers(nil, nsid: 1) != NamespaceIdentifiersTests.identifiers(nil, nsid: 2))
  }

  /// A file that has no name any more has nothing to follow.
  @Test func deletedFile() throws {
    let image = try image("disk.img")
    try #require(unlink(image.path) == 0)
    #expect(
      NamespaceIdentifiersTests.identifiers(image, nsid: 3) == NamespaceIdentifiersTests.identifiers(nil, nsid: 3))
  }
}
