import NVMeSpec
import Testing

@Suite struct CompletionQueueEntryTests {
  @Test func layout() {
    typealias Layout = MemoryLayout<CompletionQueueEntry>
    #expect(Layout.size == 16)
    #expect(Layout.stride == CompletionQueueEntry.byteCount)
    #expect(Layout.offset(of: \.dw0) == 0)
    #expect(Layout.offset(of: \.dw1) == 4)
    #expect(Layout.offset(of: \.sqHead) == 8)
    #expect(Layout.offset(of: \.sqIdentifier) == 10)
    #expect(Layout.offset(of: \.commandIdentifier) == 12)
    #expect(Layout.offset(of: \.statusAndPhase) == 14)
  }

  @Test func fields() {
    var entry = CompletionQueueEntry(
      dw0: 0x0102_0304, dw1: 0x0506_0708, sqHead: 0x1112, sqIdentifier: 0x1314, commandIdentifier: 0x1516,
      status: .invalidField, phaseTag: true)
    #expect(entry.statusAndPhase == 0x8005)
    #expect(entry.status == .invalidField)
    #expect(entry.phaseTag)
    #expect(entry.word0 == 0x0506_0708_0102_0304)
    #expect(entry.word1 == 0x8005_1516_1314_1112)
    #expect(CompletionQueueEntry(entry.word0, entry.word1) == entry)
    entry.phaseTag = false
    #expect(entry.statusAndPhase == 0x8004)
    entry.phaseTag = true
    entry.status = .success
    #expect(entry.statusAndPhase == 1)
  }

  @Test func wordsAreTheBytes() {
    let entry = CompletionQueueEntry(0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908)
    let bytes = withUnsafeBytes(of: entry) { [UInt8]($0) }
    #expect(bytes == Array(0...15))
  }
}
