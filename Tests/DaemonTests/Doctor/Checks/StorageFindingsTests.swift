import LinuxIO
import Storage
import Testing

@testable import Daemon

@Suite struct StorageFindingsTests {
  private let texts = StorageFindings(subject: "/srv/disk")

  @Test func saysWhatBecomesOfDeallocation() {
    #expect(texts.discard(nil).verdict == .ok)
    let without = texts.discard(.notSupported)
    #expect(without.verdict == .limited)
    #expect(without.reason.contains("Operation not supported"))
  }

  @Test func saysHowZerosAreWritten() {
    #expect(texts.writeZeroes(nil, holes: .notSupported).verdict == .ok)
    #expect(texts.writeZeroes(.notSupported, holes: nil).reason.hasPrefix("by holes"))
    #expect(texts.writeZeroes(.notSupported, holes: .notSupported).reason.hasPrefix("zeros are written"))
  }

  @Test func saysWhatDirectIOAsksFor() {
    #expect(
      texts.direct(DirectAlignment(memory: 4, offset: 512)).reason
        == "works: offsets at multiples of 512 bytes, memory at multiples of 4.")
    #expect(texts.direct(DirectAlignment(memory: 512, offset: 4096)).reason.hasSuffix("is copied."))
  }

  @Test(
    arguments: [
      (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"), (64 << 20, "64 MiB"),
      (1_610_612_736, "1.5 GiB"), (200 << 30 + 1 << 29, "200 GiB"), (UInt64.max, "16384 PiB"),
    ] as [(UInt64, String)])
  func sizesAreReadable(_ bytes: UInt64, _ text: String) { #expect(approximateSize(bytes) == text) }
}
