import NVMeSpec
import Testing

@Suite struct SGLDescriptorTests {
  @Test func layout() {
    #expect(MemoryLayout<SGLDescriptor>.size == 16)
    #expect(MemoryLayout<SGLDescriptor>.stride == SGLDescriptor.byteCount)
    #expect(MemoryLayout<SGLDescriptor>.offset(of: \.address) == 0)
    #expect(MemoryLayout<SGLDescriptor>.offset(of: \.word1) == 8)
  }

  @Test func fields() {
    var descriptor = SGLDescriptor(0x1122_3344_5566_7788, 0x3100_0000_0000_1000)
    #expect(descriptor.address == 0x1122_3344_5566_7788)
    #expect(descriptor.length == 0x1000)
    #expect(descriptor.type == .lastSegment)
    #expect(descriptor.subtype == 1)
    descriptor.length = 0xFFFF_FFFF
    #expect(descriptor.word1 == 0x3100_0000_FFFF_FFFF)
    #expect(
      SGLDescriptor(type: .transportDataBlock, subtype: 0xA, address: 1, length: 2).word1 == 0x5A00_0000_0000_0002)
  }

  @Test func reservedTypes() {
    let descriptor = SGLDescriptor(0, 0x6000_0000_0000_0000)
    #expect(descriptor.type == nil)
    #expect(descriptor.rawType == 6)
  }
}
