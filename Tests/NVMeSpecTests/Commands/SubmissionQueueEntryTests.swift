import NVMeSpec
import Testing

@Suite struct SubmissionQueueEntryTests {
  @Test func layout() {
    typealias Layout = MemoryLayout<SubmissionQueueEntry>
    #expect(Layout.size == 64)
    #expect(Layout.stride == SubmissionQueueEntry.byteCount)
    #expect(Layout.offset(of: \.cdw0) == 0)
    #expect(Layout.offset(of: \.namespaceIdentifier) == 4)
    #expect(Layout.offset(of: \.cdw2) == 8)
    #expect(Layout.offset(of: \.cdw3) == 12)
    #expect(Layout.offset(of: \.metadataPointer) == 16)
    #expect(Layout.offset(of: \.dataPointer0) == 24)
    #expect(Layout.offset(of: \.dataPointer1) == 32)
    #expect(Layout.offset(of: \.cdw10) == 40)
    #expect(Layout.offset(of: \.cdw11) == 44)
    #expect(Layout.offset(of: \.cdw12) == 48)
    #expect(Layout.offset(of: \.cdw13) == 52)
    #expect(Layout.offset(of: \.cdw14) == 56)
    #expect(Layout.offset(of: \.cdw15) == 60)
  }

  @Test func commandDword0() {
    let entry = SubmissionQueueEntry(cdw0: 0xABCD_4102)
    #expect(entry.opcode == 0x02)
    #expect(entry.fused == 1)
    #expect(entry.dataTransferType == 1)
    #expect(entry.commandIdentifier == 0xABCD)
    var other = SubmissionQueueEntry()
    other.opcode = 0x02
    #expect(other.cdw0 == 0x02)
    other.fused = 0xFF
    #expect(other.cdw0 == 0x0302)
    other.dataTransferType = 0xFE
    #expect(other.cdw0 == 0x8302)
    other.commandIdentifier = 0x1234
    #expect(other.cdw0 == 0x1234_8302)
  }

  @Test func dataPointer() {
    var entry = SubmissionQueueEntry(dataPointer0: 0x1000, dataPointer1: 0x0000_0000_0000_0200)
    #expect(entry.prp1 == 0x1000)
    #expect(entry.prp2 == 0x200)
    #expect(entry.sgl == SGLDescriptor(type: .dataBlock, address: 0x1000, length: 0x200))
    entry.sgl = SGLDescriptor(type: .segment, address: 0x2000, length: 32)
    #expect(entry.dataPointer0 == 0x2000)
    #expect(entry.dataPointer1 == 0x2000_0000_0000_0020)
    entry.prp1 = 1
    entry.prp2 = 2
    #expect(entry == SubmissionQueueEntry(dataPointer0: 1, dataPointer1: 2))
  }

  @Test func allNamespaces() { #expect(NamespaceIdentifier.all == 0xFFFF_FFFF) }
}
