import CLinux
import Glibc
import Testing

@testable import LinuxIO

/// How many descriptors of this process are open on the file behind `fd`: a leak shows, whatever else runs beside.
func openDescriptors(ofTheFileBehind fd: Int32) -> Int {
  var wanted = stat()
  guard fstat(fd, &wanted) == 0, let directory = opendir("/proc/self/fd") else { return -1 }
  defer { closedir(directory) }
  var count = 0
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    guard let number = Int32(name) else { continue }
    var status = stat()
    if fstat(number, &status) == 0, status.st_dev == wanted.st_dev, status.st_ino == wanted.st_ino { count += 1 }
  }
  return count
}

/// Whether there is a descriptor; closes it.
func exists(_ descriptor: consuming FileDescriptor?) -> Bool { descriptor?.rawValue != nil }

/// A directory of its own for socket files; removed with what is in it.
struct SocketDirectory: ~Copyable {
  let path: String

  init() throws {
    var template = Array("/tmp/nvmed-socket-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw Errno.current }
    path = String(cString: made)
  }

  func file(_ name: String) -> String { path + "/" + name }

  deinit {
    if let directory = opendir(path) {
      while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { unlink(path + "/" + name) }
      }
      closedir(directory)
    }
    rmdir(path)
  }
}

@Suite struct UnixSocketTests {
  @Test func tellsThatThePeerHasClosedBeforeItsLastBytesAreReceived() throws {
    let pair = try UnixSocketPair()
    let near = pair.first
    let far = pair.second
    _ = try UnixSocket.send(far.rawValue, [1, 2, 3].span, wait: true)
    #expect(!UnixSocket.isPeerClosed(near.rawValue))
    _ = consume far
    #expect(UnixSocket.isPeerClosed(near.rawValue))
    var buffer: [UInt8] = [0, 0, 0]
    var descriptors = ReceivedDescriptors(capacity: 0)
    let receipt = try UnixSocket.receive(
      near.rawValue, into: &buffer, at: 0..<3, descriptors: &descriptors, wait: false)
    #expect(receipt.count == 3)
    let half = try UnixSocketPair()
    shutdown(half.second.rawValue, Int32(SHUT_WR))
    #expect(UnixSocket.isPeerClosed(half.first.rawValue), "who only stops writing says nothing any more either")
    #expect(!UnixSocket.isPeerClosed(half.second.rawValue))
  }

  @Test func sendsHeadBodyAndDescriptorsAsOneMessage() throws {
    let pair = try UnixSocketPair()
    let memory = try SharedMemory(name: "test", count: 4096)
    let number = memory.descriptor.rawValue
    let before = openDescriptors(ofTheFileBehind: number)
    let sent = try UnixSocket.send(
      pair.first.rawValue, [1, 2, 3].span, [4, 5].span, descriptors: [number, number], wait: true)
    #expect(sent == 5)
    do {
      var buffer = [UInt8](repeating: 0, count: 8)
      var descriptors = ReceivedDescriptors(capacity: 4)
      let receipt = try UnixSocket.receive(
        pair.second.rawValue, into: &buffer, at: 2..<8, descriptors: &descriptors, wait: true)
      #expect(receipt == .init(count: 5, descriptorsLost: false))
      #expect(buffer == [0, 0, 1, 2, 3, 4, 5, 0])
      #expect(descriptors.count == 2)
      #expect(descriptors.room == 2)
      #expect(openDescriptors(ofTheFileBehind: number) == before + 2)

      var flags: Int32 = -1
      if let taken = descriptors.take(1) { flags = fcntl(taken.rawValue, F_GETFD) }
      #expect(flags == FD_CLOEXEC)
      for index in [1, 2, -1, Int.max] {
        let absent = !exists(descriptors.take(index))
        #expect(absent)
      }
      #expect(descriptors.count == 2)
    }
    #expect(openDescriptors(ofTheFileBehind: number) == before)
  }

  @Test func descriptorsComeWithTheFirstByteOfAShortReceive() throws {
    let pair = try UnixSocketPair()
    let memory = try SharedMemory(name: "test", count: 4096)
    _ = try UnixSocket.send(
      pair.first.rawValue, [1, 2, 3].span, descriptors: [memory.descriptor.rawValue], wait: true)
    var buffer = [UInt8](repeating: 0, count: 3)
    var descriptors = ReceivedDescriptors(capacity: 1)
    for index in 0..<3 {
      let receipt = try UnixSocket.receive(
        pair.second.rawValue, into: &buffer, at: index..<index + 1, descriptors: &descriptors, wait: false)
      #expect(receipt == .init(count: 1, descriptorsLost: false))
      #expect(descriptors.count == 1)
    }
    #expect(buffer == [1, 2, 3])
  }

  // 3 leaves the control buffer with room for a fourth, as CMSG_SPACE rounds up.
  @Test(arguments: [0, 1, 2, 3, 4]) func reportsDescriptorsBeyondTheCapacityAndClosesThem(capacity: Int) throws {
    let pair = try UnixSocketPair()
    let memory = try SharedMemory(name: "test", count: 4096)
    let number = memory.descriptor.rawValue
    let before = openDescriptors(ofTheFileBehind: number)
    _ = try UnixSocket.send(
      pair.first.rawValue, [1].span, descriptors: Array(repeating: number, count: capacity + 1), wait: true)
    var buffer: [UInt8] = [0]
    var descriptors = ReceivedDescriptors(capacity: capacity)
    let receipt = try UnixSocket.receive(
      pair.second.rawValue, into: &buffer, at: 0..<1, descriptors: &descriptors, wait: true)
    #expect(receipt == .init(count: 1, descriptorsLost: true))
    #expect(descriptors.count == capacity)
    #expect(openDescriptors(ofTheFileBehind: number) == before + capacity)
    descriptors.removeAll()
    let isEmpty = descriptors.isEmpty
    #expect(isEmpty)
    #expect(openDescriptors(ofTheFileBehind: number) == before)
  }

  @Test func carriesTheKernelsMostDescriptors() throws {
    let pair = try UnixSocketPair()
    let memory = try SharedMemory(name: "test", count: 4096)
    let number = memory.descriptor.rawValue
    #expect(UnixSocket.maxDescriptors == 253)
    #expect(throws: Errno.invalidArgument) {
      try UnixSocket.send(
        pair.first.rawValue, [1].span, descriptors: Array(repeating: number, count: 254), wait: true)
    }
    _ = try UnixSocket.send(
      pair.first.rawValue, [1].span, descriptors: Array(repeating: number, count: 253), wait: true)
    var buffer: [UInt8] = [0]
    var descriptors = ReceivedDescriptors(capacity: 1000)
    #expect(descriptors.capacity == 253)
    let receipt = try UnixSocket.receive(
      pair.second.rawValue, into: &buffer, at: 0..<1, descriptors: &descriptors, wait: true)
    #expect(receipt == .init(count: 1, descriptorsLost: false))
    #expect(descriptors.count == 253)
  }

  @Test func tellsEmptyFromClosed() throws {
    let pair = try UnixSocketPair()
    var buffer: [UInt8] = [0]
    var descriptors = ReceivedDescriptors(capacity: 0)
    let reader = pair.second.rawValue
    #expect(throws: Errno.wouldBlock) {
      try UnixSocket.receive(reader, into: &buffer, at: 0..<1, descriptors: &descriptors, wait: false)
    }
    _ = consume pair.first
    let receipt = try UnixSocket.receive(reader, into: &buffer, at: 0..<1, descriptors: &descriptors, wait: false)
    #expect(receipt == .init(count: 0, descriptorsLost: false))
    #expect(throws: Errno.brokenPipe) { try UnixSocket.send(reader, [1].span, wait: false) }
  }

  @Test func seesThatThePeerIsGoneBeforeItsBytesAreReceived() throws {
    let pair = try UnixSocketPair()
    let here = try pair.first.duplicate()
    _ = try UnixSocket.send(pair.second.rawValue, [1, 2].span, wait: true)
    #expect(!UnixSocket.isPeerClosed(here.rawValue))
    shutdown(pair.second.rawValue, Int32(SHUT_WR))
    #expect(UnixSocket.isPeerClosed(here.rawValue))
    _ = consume pair
    #expect(UnixSocket.isPeerClosed(here.rawValue))
  }

  @Test func aFullSocketTakesAPartAndThenNothing() throws {
    let pair = try UnixSocketPair()
    let writer = pair.first.rawValue
    let bytes = [UInt8](repeating: 7, count: 4 << 20)
    let sent = try UnixSocket.send(writer, bytes.span, wait: false)
    #expect(sent > 0 && sent < bytes.count)
    #expect(throws: Errno.wouldBlock) { try UnixSocket.send(writer, [1].span, wait: false) }
  }

  @Test func aDescriptorThatIsNotOpenIsRefused() throws {
    let pair = try UnixSocketPair()
    #expect(throws: Errno.badFileDescriptor) {
      try UnixSocket.send(pair.first.rawValue, [1].span, descriptors: [-1], wait: true)
    }
  }

  @Test func knowsItsPeerAndItsKind() throws {
    let pair = try UnixSocketPair()
    let peer = try UnixSocket.peerCredentials(pair.first.rawValue)
    #expect(peer.processID == getpid())
    #expect(peer.userID == geteuid())
    #expect(peer.groupID == getegid())
    #expect(UnixSocket.isSocket(pair.first.rawValue))
    #expect(!UnixSocket.isListening(pair.first.rawValue))
    let event = try EventFD()
    #expect(!UnixSocket.isSocket(event.rawValue))
    #expect(!UnixSocket.isListening(event.rawValue))
    #expect(!UnixSocket.isSocket(-1))
    #expect(throws: Errno(rawValue: ENOTSOCK)) { try UnixSocket.peerCredentials(event.rawValue) }
  }

  @Test func refusesBadPaths() throws {
    let directory = try SocketDirectory()
    let missing = directory.file("missing")
    #expect(throws: Errno.noSuchFile) { _ = try UnixSocket.connect(path: missing) }
    #expect(throws: Errno.invalidArgument) { _ = try UnixSocket.connect(path: "") }
    #expect(throws: Errno.invalidArgument) { _ = try UnixSocket.connect(path: "/tmp/a\0b") }
    let long = "/tmp/" + String(repeating: "x", count: 103)
    #expect(throws: Errno(rawValue: ENAMETOOLONG)) { _ = try UnixSocket.connect(path: long) }
    #expect(throws: Errno.noSuchFile) { _ = try UnixSocket.connect(path: String(long.dropLast())) }
  }
}
