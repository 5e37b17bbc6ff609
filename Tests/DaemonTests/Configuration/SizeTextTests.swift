import Testing

@testable import Daemon

@Suite struct SizeTextTests {
  @Test(arguments: [
    ("0B", 0), ("1B", 1), ("512KiB", 524_288), ("1MiB", 1_048_576), ("1 GiB", 1_073_741_824), ("10GB", 10_000_000_000),
    ("3kB", 3_000), ("3KB", 3_000), ("2MB", 2_000_000), ("2TB", 2_000_000_000_000), ("1TiB", 1_099_511_627_776),
    ("1PB", 1_000_000_000_000_000), ("1PiB", 1_125_899_906_842_624), ("007B", 7),
    ("16383PiB", 18_445_618_173_802_708_992),
    ("18446744073709551615B", UInt64.max),
  ])
  func sizes(_ text: String, _ bytes: UInt64) throws {
    #expect(try SizeText.parse(text) == bytes)
  }

  @Test(arguments: [
    ("", "\"\" does not begin with a whole number"), ("1", "\"1\" has no unit"), ("1 ", "\"1 \" has no unit"),
    ("1Kib", "\"Kib\" is no unit of size"), ("1KiBs", "\"KiBs\" is no unit of size"),
    ("١KiB", "\"١KiB\" does not begin with a whole number"),
    ("18446744073709551616B", "\"18446744073709551616B\" is too large"),
    ("18446744073709552kB", "\"18446744073709552kB\" is too large"),
  ])
  func texts(_ text: String, _ problem: String) {
    #expect(throws: ValueProblem(problem)) { try SizeText.parse(text) }
  }

  @Test(arguments: [
    (UInt64(0), "0B"), (1, "1B"), (1023, "1023B"), (1024, "1KiB"), (1536, "1536B"), (524_288, "512KiB"),
    (1 << 50, "1PiB"), (5 << 40, "5TiB"), (UInt64.max, "18446744073709551615B"),
  ])
  func shown(_ bytes: UInt64, _ text: String) throws {
    #expect(SizeText.text(bytes) == text)
    #expect(try SizeText.parse(text) == bytes)
  }
}
