import NVMeSpec
import Testing

@Suite struct IdentifyNVMNamespaceTests {
  @Test func layout() {
    checkLayout(
      of: IdentifyNVMNamespace.self,
      [
        .integer("lbstm", \.logicalBlockStorageTagMask), .integer("pic", \.protectionInformationCapabilities),
        .reserved(3), .reserved(64 * 4), .reserved(3828),
      ])
  }

  @Test(arguments: [(0, 12), (63, 264)]) func extendedFormats(index: Int, offset: Int) {
    var namespace = IdentifyNVMNamespace()
    namespace[extendedLBAFormat: index] = 0x0403_0201
    var expected = [UInt8](repeating: 0, count: 4096)
    expected.replaceSubrange(offset..<offset + 4, with: [1, 2, 3, 4])
    #expect(namespace.encode() == expected)
    #expect(namespace[extendedLBAFormat: index] == 0x0403_0201)
  }

  @Test(arguments: [-1, 64]) func extendedFormatsThatAreNot(index: Int) {
    var namespace = IdentifyNVMNamespace()
    namespace[extendedLBAFormat: index] = 1
    #expect(namespace == IdentifyNVMNamespace())
    #expect(namespace[extendedLBAFormat: index] == nil)
  }
}
