import Testing

@testable import Benchmarking

@Suite struct ScaleTests {
  @Test func beginsAtZero() {
    let scale = Scale(.linear, values: [3, 97])
    #expect(scale.ticks == [0, 20, 40, 60, 80, 100])
    #expect(scale.range == 0...100)
    #expect(scale.position(0) == 0)
    #expect(scale.position(50) == 0.5)
    #expect(scale.position(100) == 1)
  }

  @Test func showsNegativeValues() {
    let scale = Scale(.linear, values: [-3, 7])
    #expect(scale.range == -4...8)
    #expect(scale.position(-4) == 0)
  }

  @Test func showsPowers() {
    let scale = Scale(.logarithmic, values: [2_000, 3_000_000])
    #expect(scale.ticks == [1_000, 10_000, 100_000, 1_000_000, 10_000_000])
    #expect(abs(scale.position(100_000) - 0.5) < 1e-9)
    // Few decades have more lines.
    #expect(Scale(.logarithmic, values: [150, 600]).ticks == [100, 200, 500, 1000])
  }

  /// Zero has no place on a logarithmic axis, and is drawn at its beginning.
  @Test func standsWhatCannotBeShown() {
    #expect(Scale(.logarithmic, values: [0, 10]).position(0) == 0)
    #expect(Scale(.logarithmic, values: [0]).kind == .linear)
    for kind in [Scale.Kind.linear, .logarithmic] {
      for values in [[], [0], [.nan], [.infinity], [1], [5, 5]] as [[Double]] {
        let scale = Scale(kind, values: values)
        #expect(scale.range.lowerBound < scale.range.upperBound, "\(values)")
        #expect(!scale.ticks.isEmpty && scale.ticks.allSatisfy(\.isFinite), "\(values)")
        for value in [-1, 0, 1, .nan, .infinity] as [Double] {
          #expect((0...1).contains(scale.position(value)), "\(values) \(value)")
        }
      }
    }
  }
}
