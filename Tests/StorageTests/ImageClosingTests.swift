import LinuxIO
import Testing

@testable import Storage

@Suite struct ImageClosingTests {
  /// It is told when the last reference has gone, and then nobody is in the way of another opening.
  @Test func tellsWhenNobodyHasIt() throws {
    let file = try TestImage(size: 4096)
    var image: DiskImage? = try DiskImage(path: file.path, options: ImageOptions(cache: .buffered))
    var other = image
    let closing = try #require(image?.closing)
    image = nil
    #expect(!closing.wait(milliseconds: 0))
    #expect(!closing.wait(milliseconds: 1))
    #expect(other?.size == 4096)
    other = nil
    // Everybody who waits is told.
    for _ in 0..<2 { #expect(closing.wait(milliseconds: 60_000)) }
    _ = try onceUnlocked { try DiskImage(path: file.path, options: ImageOptions(cache: .buffered)) }
    _ = (image, other)
  }

  /// A thread that waits is woken by the thread that lets go.
  @Test func wakesWhoWaits() throws {
    let file = try TestImage(size: 4096)
    let closing = ImageClosing()
    let waiter = try Thread(name: "waiter") { #expect(closing.wait(milliseconds: 60_000)) }
    do {
      let opening = OpenImage(
        descriptor: try FileDescriptor(path: file.path, flags: 0), identity: ImageIdentity(device: 1 << 61, inode: 1),
        options: ImageOptions(lock: false), closing: closing)
      let isClosed = opening.closing.wait(milliseconds: 0)
      #expect(!isClosed)
    }
    waiter.join()
  }
}
