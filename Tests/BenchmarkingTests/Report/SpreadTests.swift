import Benchmarking
import Testing

@Suite struct SpreadTests {
  @Test func takesTheMiddle() {
    #expect(Spread([3, 1, 2])?.median == 2)
    #expect(Spread([4, 1, 2, 3])?.median == 2.5)
    #expect(Spread([7])?.median == 7)
    let spread = Spread([5, -1, 3])
    #expect(spread?.minimum == -1)
    #expect(spread?.maximum == 5)
  }

  @Test func needsNumbers() {
    #expect(Spread([]) == nil)
    #expect(Spread([1, .nan]) == nil)
    #expect(Spread([1, .infinity]) == nil)
  }

  @Test func findsALine() throws {
    let line = try #require(LineFit([(1, 5), (2, 7), (4, 11)]))
    #expect(abs(line.slope - 2) < 1e-9)
    #expect(abs(line.intercept - 3) < 1e-9)
    #expect(abs(line.largestResidual) < 1e-9)
    #expect(abs(line.value(at: 10) - 23) < 1e-9)
  }

  /// The greatest distance keeps its sign.
  @Test func tellsTheFarthestPoint() throws {
    // The line through them is y = 1: slope 0 by symmetry.
    let below = try #require(LineFit([(0, 2), (1, -1), (2, 2)]))
    #expect(abs(below.slope) < 1e-9)
    #expect(abs(below.largestResidual + 2) < 1e-9)
  }

  @Test func needsTwoPlaces() {
    #expect(LineFit([]) == nil)
    #expect(LineFit([(1, 1)]) == nil)
    #expect(LineFit([(1, 1), (1, 2)]) == nil)
  }
}

@Suite struct DecimalTests {
  @Test(arguments: [
    (0.0, 0, "0"), (1.5, 0, "2"), (1.25, 1, "1.3"), (0.05, 2, "0.05"), (-0.05, 2, "-0.05"), (-0.001, 2, "0.00"),
    (12.0, 3, "12.000"), (99.999, 2, "100.00"), (1234567.0, 0, "1234567"), (.nan, 2, "-"), (.infinity, 0, "-"),
    (1e19, 0, "-"),
  ])
  func writes(_ value: Double, _ decimals: Int, _ expected: String) {
    #expect(decimal(value, decimals) == expected)
  }

  @Test(arguments: [
    (0.0, "0"), (0.15, "0.15"), (0.0156, "0.016"), (1.0, "1"), (1.234, "1.23"), (12.34, "12.3"), (1234.0, "1234"),
    (12340.0, "12.3k"), (850_000.0, "850k"), (3_500_000.0, "3.50M"), (5e6, "5M"), (2e9, "2G"), (-4.5, "-4.50"),
  ])
  func shortens(_ value: Double, _ expected: String) {
    #expect(short(value) == expected)
  }

  @Test(arguments: [
    ("512", "512 B"), ("4096", "4 KiB"), ("131072", "128 KiB"), ("1048576", "1 MiB"), ("1536", "1536 B"), ("", ""),
  ])
  func namesSizes(_ text: String, _ expected: String) {
    #expect(blockSize(text) == expected)
  }
}
