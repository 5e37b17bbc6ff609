import Testing

@testable import Console

@Suite struct QuantityTests {
  @Test(arguments: [
    (0, "0"), (0.26, "0.3"), (9.94, "9.9"), (9.96, "10"), (950, "950"), (999.4, "999"), (999.6, "1.0k"),
    (12_345, "12k"), (1_234_567, "1.2M"), (.nan, "0"), (.infinity, "0"), (-1, "0"), (1e30, "1000000000000000G"),
  ])
  func showsRates(_ value: Double, _ text: String) { #expect(Quantity.rate(value) == text) }

  @Test(arguments: [
    (0, "-"), (1, "0.0us"), (400, "0.4us"), (120_000, "120us"), (999_499, "999us"), (999_500, "1.0ms"),
    (3_140_000, "3.1ms"), (1_500_000_000, "1.5s"), (UInt64.max, "18446744074s"),
  ])
  func showsTimes(_ nanoseconds: UInt64, _ text: String) { #expect(Quantity.time(nanoseconds: nanoseconds) == text) }

  @Test(arguments: [
    (0, "0B"), (512, "512B"), (1023, "1.0KiB"), (1024, "1KiB"), (1 << 30, "1GiB"), (1_500_000_000, "1.4GiB"),
    (10 << 30, "10GiB"), (UInt64.max, "16EiB"),
  ])
  func showsSizes(_ bytes: UInt64, _ text: String) { #expect(Quantity.size(bytes) == text) }

  @Test(arguments: [
    (0, "0 s"), (59, "59 s"), (187, "3 min 7 s"), (18_120, "5 h 2 min"), (1_047_600, "12 d 3 h"),
  ])
  func showsDurations(_ seconds: UInt64, _ text: String) {
    #expect(Quantity.duration(nanoseconds: seconds * 1_000_000_000) == text)
  }
}
