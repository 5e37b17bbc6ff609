import Testing

@testable import Daemon

@Suite struct SuggestionTests {
  private static let keys = ["io_threads", "io_cpus", "log_level", "worker_threads", "block_size", "size", "socket"]

  @Test(arguments: [
    ("ioThreads", "io_threads"), ("IO-THREADS", "io_threads"), ("io_thread", "io_threads"), ("loglevle", "log_level"),
    ("blocksize", "block_size"), ("szie", "size"), ("sokcet", "socket"), ("sockets", "socket"), ("cpus", "io_cpus"),
    ("worker", "worker_threads"), ("threads", "io_threads"),
  ])
  func near(_ text: String, _ key: String) {
    #expect(suggestion(for: text, among: Self.keys) == key)
  }

  @Test(arguments: ["", "colour", "x", "siblings", String(repeating: "size", count: 17)])
  func far(_ text: String) {
    #expect(suggestion(for: text, among: Self.keys) == nil)
  }

  @Test(arguments: [
    ("", "", 0), ("a", "", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 1), ("abcd", "acbd", 1),
    ("ca", "abc", 3), ("same", "same", 0),
  ])
  func distances(_ left: String, _ right: String, _ distance: Int) {
    #expect(editDistance(Array(left.utf8), Array(right.utf8)) == distance)
    #expect(editDistance(Array(right.utf8), Array(left.utf8)) == distance)
  }
}
