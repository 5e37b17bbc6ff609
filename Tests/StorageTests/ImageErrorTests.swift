import LinuxIO
import Testing

@testable import Storage

@Suite struct ImageErrorTests {
  /// Each reason, and what its sentence must say to be of help.
  static let sentences: [(ImageError.Reason, [String])] = [
    (.missing, ["no such file", "create it"]),
    (.noPermission(readOnly: false), ["permission denied", "read_only = true"]),
    (.noPermission(readOnly: true), ["permission denied", "right to read it"]),
    (.notWritable, ["read-only", "read_only = true"]),
    (.notAnImage("a directory"), ["is a directory", "block device"]),
    (.tooSmall(size: 100, blockSize: .bytes4096), ["100 bytes", "4096", "truncate"]),
    (.blockSizeTooSmall(.bytes512, required: 4096), ["blocks of 4096", "is 512", "block_size = 4096"]),
    (.blockSizeTooSmall(.bytes4096, required: 8192), ["blocks of 8192", "cache = \"buffered\""]),
    (.noDirectIO, ["O_DIRECT", "cache = \"buffered\""]),
    (.locked(readOnly: false), ["in use by another process", "stop it"]),
    (.locked(readOnly: true), ["written to by another process", "stop it"]),
    (.usedTwice, ["image of another namespace", "another image"]),
    (.lockFailed(.notSupported), ["cannot be locked", "lock = false"]),
    (.deviceBusy, ["mounted or claimed", "unmount"]),
    (.descriptorMode(needsWriting: true), ["inherited descriptor", "O_RDWR"]),
    (.descriptorMode(needsWriting: false), ["inherited descriptor", "O_RDONLY"]),
    (.systemCall("fstat", .inputOutput), ["fstat failed", "Input/output error"]),
  ]

  @Test(arguments: sentences) func saysWhatIsWrongAndWhatToDo(_ reason: ImageError.Reason, _ parts: [String]) {
    let text = ImageError(path: "/vm/disk.img", reason: reason).description
    #expect(text.hasPrefix("/vm/disk.img: "))
    for part in parts { #expect(text.contains(part)) }
    #expect(!text.contains("\n") && !text.contains(". "))
  }
}
