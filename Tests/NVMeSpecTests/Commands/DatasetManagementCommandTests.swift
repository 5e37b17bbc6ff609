import NVMeSpec
import Testing

@Suite struct DatasetManagementCommandTests {
  @Test func fields() {
    var command = DatasetManagementCommand(SubmissionQueueEntry(cdw10: 0xFFFF_FF00, cdw11: 0b100))
    #expect(command.numberOfRanges == 1)
    #expect(command.deallocate && !command.integralDatasetForRead && !command.integralDatasetForWrite)
    command.numberOfRanges = 256
    #expect(command.entry.cdw10 == 0xFFFF_FFFF)
    #expect(command.numberOfRanges == 256)
    command.deallocate = false
    command.integralDatasetForRead = true
    #expect(command.entry.cdw11 == 0b001)
    command.integralDatasetForWrite = true
    #expect(command.entry.cdw11 == 0b011)
  }

  @Test func rangeLayout() {
    typealias Layout = MemoryLayout<DatasetManagementRange>
    #expect(Layout.size == 16)
    #expect(Layout.stride == DatasetManagementRange.byteCount)
    #expect(Layout.offset(of: \.attributes) == 0)
    #expect(Layout.offset(of: \.length) == 4)
    #expect(Layout.offset(of: \.slba) == 8)
    #expect(
      DatasetManagementRange(0x0506_0708_0102_0304, 9)
        == DatasetManagementRange(attributes: 0x0102_0304, length: 0x0506_0708, slba: 9))
    #expect(DatasetManagementRange.maximumCount == 256)
  }
}
