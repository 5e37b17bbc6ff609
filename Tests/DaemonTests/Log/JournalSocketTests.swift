import Glibc
import LinuxIO
import Logging
import Testing

@testable import Daemon

/// A journal of the tests' own: a datagram socket in a folder.
final class TestJournal {
  let folder: String
  let path: String
  private(set) var socket: Int32 = -1

  init() throws {
    var template = Array("/tmp/nvmed-journal-XXXXXX".utf8CString)
    _ = mkdtemp(&template)
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    path = folder + "/socket"
    try start()
  }

  /// Listens, anew where it did before.
  func start() throws {
    end()
    socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(result == 0)
  }

  /// Listens no more.
  func end() {
    if socket >= 0 { close(socket) }
    socket = -1
    unlink(path)
  }

  deinit {
    end()
    rmdir(folder)
  }

  /// The next entry: a datagram, or the memfd that it hands over.
  func next() throws -> String {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var descriptors = ReceivedDescriptors(capacity: 4)
    let count = try UnixSocket.receive(
      socket, into: &buffer, at: 0..<buffer.count, descriptors: &descriptors, wait: true
    ).count
    guard let memory = descriptors.take(0) else { return String(decoding: buffer.prefix(count), as: UTF8.self) }
    #expect(count == 0, "nothing but the memfd")
    let size = Int(try memory.status().st_size)
    var bytes = [UInt8](repeating: 0, count: size)
    #expect(pread(memory.rawValue, &bytes, size, 0) == size)
    #expect(write(memory.rawValue, &bytes, 1) < 0, "it is sealed")
    return String(decoding: bytes, as: UTF8.self)
  }
}

@Suite struct JournalSocketTests {
  private func record(_ message: String) -> LogRecord {
    LogRecord(level: .info, label: "nvmed", message: message, [:], nil)
  }

  @Test func entriesArriveAsDatagrams() throws {
    let journal = try TestJournal()
    let socket = try JournalSocket(path: journal.path)
    #expect(socket.send(record("one")))
    #expect(socket.send(record("two")))
    #expect(try journal.next() == "MESSAGE=nvmed: one\nPRIORITY=6\nSYSLOG_IDENTIFIER=nvmed\n")
    #expect(try journal.next() == "MESSAGE=nvmed: two\nPRIORITY=6\nSYSLOG_IDENTIFIER=nvmed\n")
  }

  @Test func largeEntriesArriveInAMemfd() throws {
    let journal = try TestJournal()
    let socket = try JournalSocket(path: journal.path)
    let long = String(repeating: "x", count: 1 << 20)
    #expect(socket.send(record(long)))
    #expect(try journal.next() == "MESSAGE=nvmed: \(long)\nPRIORITY=6\nSYSLOG_IDENTIFIER=nvmed\n")
  }

  @Test func aJournalThatStartsAgainIsFound() throws {
    let journal = try TestJournal()
    let socket = try JournalSocket(path: journal.path)
    try journal.start()
    #expect(socket.send(record("after")))
    #expect(try journal.next().hasPrefix("MESSAGE=nvmed: after\n"))
  }

  @Test func whereNobodyTakesEntriesTheCallerKnows() throws {
    let journal = try TestJournal()
    let socket = try JournalSocket(path: journal.path)
    journal.end()
    #expect(!socket.send(record("nobody")))
    #expect(throws: Errno.noSuchFile) { try JournalSocket(path: "/nonexistent/socket") }
  }

  /// A journal that does not read costs log lines and no time, and says how many once it reads again.
  @Test func aFullJournalLosesEntries() throws {
    let journal = try TestJournal()
    let socket = try JournalSocket(path: journal.path)
    let text = String(repeating: "y", count: 1000)
    for _ in 0..<2000 { #expect(socket.send(record(text))) }
    var taken = 0
    while recv(journal.socket, nil, 0, Int32(MSG_DONTWAIT)) >= 0 { taken += 1 }
    #expect(taken > 0 && taken < 2000)
    #expect(socket.send(record("again")))
    #expect(try journal.next().contains("NVMED_LOST_ENTRIES=\(2000 - taken)\n"))
    #expect(socket.send(record("and again")))
    #expect(try !journal.next().contains("LOST"))
  }
}
