import Glibc
import TOML
import Testing

@Suite struct MemoryTests {
  /// What was taken for a document is given back, whether it is read or refused: tens of thousands of them take no more
  /// than the first ones. In a process of its own, as others take memory too.
  @Test func nothingIsKept() async {
    await #expect(processExitsWith: .success) {
      let texts = (ValidTexts.all.map(\.text) + InvalidTexts.all.map(\.text)).map { Array($0.utf8) }
      func readAll(_ rounds: Int) {
        for _ in 0..<rounds {
          for text in texts { _ = try? TOMLNode.document(text) }
        }
      }
      func residentKiB() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss
      }
      readAll(5)
      let before = residentKiB()
      readAll(50)
      let after = residentKiB()
      // 16 bytes of each text would be as much.
      try #require(after < before + 512, "\(before) KiB, then \(after) KiB")
    }
  }
}
