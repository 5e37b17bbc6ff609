import NVMeSpec
import Testing

@Suite struct IdentifyCNSTests {
  @Test func values() {
    #expect(IdentifyCNS.allCases.map(\.rawValue) == Array(0x00...0x0A) + Array(0x10...0x1C))
    #expect(IdentifyCNS.namespaceIdentificationDescriptorList.rawValue == 0x03)
    #expect(IdentifyCNS.ioCommandSetSpecificController.rawValue == 0x06)
    #expect(IdentifyCNS.ioCommandSetIndependentNamespace.rawValue == 0x08)
    #expect(IdentifyCNS.secondaryControllerList.rawValue == 0x15)
    #expect(IdentifyCNS.ioCommandSet.rawValue == 0x1C)
    #expect(IdentifyCNS.dataByteCount == 4096)
  }
}
