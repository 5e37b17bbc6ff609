import NVMeSpec
import Testing

@Suite struct IdentifyNamespaceTests {
  /// The layout by the sizes of the fields, as SPDK's `struct spdk_nvme_ns_data` has them.
  @Test func layout() {
    checkLayout(
      of: IdentifyNamespace.self,
      [
        .integer("nsze", \.size), .integer("ncap", \.capacity), .integer("nuse", \.utilization),
        .options("nsfeat", \.features), .integer("nlbaf", \.numberOfLBAFormats),
        .integer("flbas", \.formattedLBASize), .integer("mc", \.metadataCapabilities),
        .integer("dpc", \.endToEndDataProtectionCapabilities), .integer("dps", \.endToEndDataProtectionTypeSettings),
        .integer("nmic", \.multipathCapabilities), .options("rescap", \.reservationCapabilities),
        .integer("fpi", \.formatProgressIndicator), .options("dlfeat", \.deallocateFeatures),
        .integer("nawun", \.atomicWriteUnitNormal), .integer("nawupf", \.atomicWriteUnitPowerFail),
        .integer("nacwu", \.atomicCompareAndWriteUnit), .integer("nabsn", \.atomicBoundarySizeNormal),
        .integer("nabo", \.atomicBoundaryOffset), .integer("nabspf", \.atomicBoundarySizePowerFail),
        .integer("noiob", \.optimalIOBoundary), .integer("nvmcap", \.nvmCapacity),
        .integer("npwg", \.preferredWriteGranularity), .integer("npwa", \.preferredWriteAlignment),
        .integer("npdg", \.preferredDeallocateGranularity), .integer("npda", \.preferredDeallocateAlignment),
        .integer("nows", \.optimalWriteSize), .integer("mssrl", \.maximumSingleSourceRangeLength),
        .integer("mcl", \.maximumCopyLength), .integer("msrc", \.maximumSourceRangeCount), .reserved(11),
        .integer("anagrpid", \.anaGroupIdentifier), .reserved(3), .options("nsattr", \.attributes),
        .integer("nvmsetid", \.nvmSetIdentifier), .integer("endgid", \.enduranceGroupIdentifier),
        .bytes("nguid", 16, \.nguid), .bytes("eui64", 8, \.eui64), .reserved(64 * 4),
        .bytes("vs", 3712, \.vendorSpecific),
      ])
  }

  @Test(arguments: [(0, 128), (1, 132), (63, 380)]) func lbaFormats(index: Int, offset: Int) {
    var namespace = IdentifyNamespace()
    namespace[lbaFormat: index] = LBAFormat(metadataSize: 8, dataSize: 12, relativePerformance: 1)
    var expected = [UInt8](repeating: 0, count: 4096)
    expected.replaceSubrange(offset..<offset + 4, with: [8, 0, 12, 1])
    #expect(namespace.encode() == expected)
    #expect(namespace[lbaFormat: index]?.dataSize == 12)
  }

  @Test(arguments: [-1, 64]) func lbaFormatsThatAreNot(index: Int) {
    var namespace = IdentifyNamespace()
    namespace[lbaFormat: index] = LBAFormat(dataSize: 9)
    #expect(namespace == IdentifyNamespace())
    #expect(namespace[lbaFormat: index] == nil)
  }

  @Test func formatInUse() {
    var namespace = IdentifyNamespace()
    namespace[lbaFormat: 1] = LBAFormat(dataSize: 12)
    namespace[lbaFormat: 33] = LBAFormat(dataSize: 9)
    namespace.numberOfLBAFormats = 1
    namespace.formattedLBASize = 0x51
    #expect(namespace.formattedLBAFormatIndex == 1)
    #expect(namespace.logicalBlockByteCount == 4096)
    namespace.numberOfLBAFormats = 63
    #expect(namespace.formattedLBAFormatIndex == 33)
    #expect(namespace.logicalBlockByteCount == 512)
    namespace.formattedLBASize = 0x6F
    #expect(namespace.formattedLBAFormatIndex == 63)
    #expect(namespace.logicalBlockByteCount == nil)
  }

  @Test func identifiersAreCutAndFilled() {
    var namespace = IdentifyNamespace()
    namespace.eui64 = [UInt8](repeating: 0xFF, count: 9)
    #expect(namespace.encode()[128] == 0)
    namespace.eui64 = [1]
    #expect(namespace.eui64 == [1, 0, 0, 0, 0, 0, 0, 0])
  }
}
