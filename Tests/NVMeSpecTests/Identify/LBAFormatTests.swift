import NVMeSpec
import Testing

@Suite struct LBAFormatTests {
  @Test func fields() {
    let format = LBAFormat(metadataSize: 0x1234, dataSize: 12, relativePerformance: 3)
    #expect(format.rawValue == 0x030C_1234)
    #expect(format.metadataSize == 0x1234)
    #expect(format.dataSize == 12)
    #expect(format.relativePerformance == 3)
  }

  @Test(arguments: [(0, nil), (8, nil), (9, 512), (12, 4096), (30, 1 << 30), (31, nil), (255, nil)] as [(UInt8, Int?)])
  func blockSizes(dataSize: UInt8, byteCount: Int?) {
    #expect(LBAFormat(dataSize: dataSize).logicalBlockByteCount == byteCount)
  }
}
