import CFuzzAIO
import Glibc

/// What the process holds between two inputs: no more after thousands of them than at first.
enum FuzzProcess {
  /// What it holds.
  private struct Holdings {
    let descriptors = FuzzProcess.entries("/proc/self/fd")
    let threads = FuzzProcess.entries("/proc/self/task")
  }

  /// Inputs between two looks.
  private static let window = 1024
  /// Of so many inputs one is looked at for what it leaves on the heap: the fuzzer itself keeps what is found.
  private static let sample = 8
  /// Bytes that the inputs looked at in one window may leave, as caches grow: leaks of 1 KiB would be twice that.
  private static let byteLimit = 64 << 10
  /// Descriptors and threads that may come to those there were: pools grow by some.
  private static let countLimit = 16
  /// How often it is looked again, 10 ms later, whether descriptors are closed.
  private static let patience = 1000

  nonisolated(unsafe) private static var count = 0
  /// Bytes that those looked at have left in this window.
  nonisolated(unsafe) private static var left = 0
  nonisolated(unsafe) private static var first: Holdings?

  /// Runs an input.
  static func watch(_ body: () -> Void) {
    count += 1
    if count % sample == 0 {
      let before = fuzz_allocated_bytes()
      body()
      left += fuzz_allocated_bytes() - before
    } else {
      body()
    }
    if count % window == 0 { check() }
  }

  private static func check() {
    defer { left = 0 }
    var now = Holdings()
    // In the first window what is made once was made.
    guard let first else { return first = now }
    // A thread of its own closes what clients sent that may take long to close.
    for _ in 0..<patience where now.descriptors > first.descriptors + countLimit {
      usleep(10_000)
      now = Holdings()
    }
    require(left <= byteLimit, "\(window / sample) inputs leave \(left) bytes on the heap")
    require(
      now.descriptors <= first.descriptors + countLimit,
      "\(now.descriptors) descriptors are open, and were \(first.descriptors)")
    require(now.threads <= first.threads + countLimit, "there are \(now.threads) threads, and were \(first.threads)")
  }

  private static func entries(_ path: String) -> Int {
    guard let folder = opendir(path) else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
  }
}
