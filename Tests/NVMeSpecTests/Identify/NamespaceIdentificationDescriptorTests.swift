import NVMeSpec
import Testing

@Suite struct NamespaceIdentificationDescriptorTests {
  private let sixteen = (1...16).map { UInt8($0) }

  @Test func encoding() {
    let list = NamespaceIdentificationDescriptorList([
      .eui64([1, 2, 3, 4, 5, 6, 7, 8]), .nguid(sixteen), .uuid(sixteen), .commandSetIdentifier(2),
    ])
    let bytes = list.encode()
    #expect(bytes.count == 4096)
    var expected: [UInt8] = [1, 8, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    expected += [2, 16, 0, 0] + sixteen
    expected += [3, 16, 0, 0] + sixteen
    expected += [4, 1, 0, 0, 2]
    #expect(Array(bytes[..<expected.count]) == expected)
    #expect(bytes[expected.count...].allSatisfy { $0 == 0 })
    #expect(NamespaceIdentificationDescriptorList(decoding: bytes) == list)
  }

  @Test func identifiersAreCutAndFilled() {
    #expect(NamespaceIdentificationDescriptor.eui64([1]).identifier == [1, 0, 0, 0, 0, 0, 0, 0])
    #expect(NamespaceIdentificationDescriptor.uuid(sixteen + [17]).identifier == sixteen)
  }

  @Test func unknownOnesAreSkipped() {
    var bytes: [UInt8] = [9, 3, 0, 0, 1, 1, 1, 1, 4, 0, 0, 1, 1, 1, 1, 4, 1, 0, 0, 0]
    bytes += [UInt8](repeating: 0, count: 4096 - bytes.count)
    #expect(NamespaceIdentificationDescriptorList(decoding: bytes)?.descriptors == [.commandSetIdentifier(0)])
  }

  @Test func aListThatPassesItsEndIsCut() {
    let bytes = [UInt8](repeating: 0xFF, count: 4096)
    #expect(NamespaceIdentificationDescriptorList(decoding: bytes)?.descriptors == [])
    #expect(NamespaceIdentificationDescriptorList(decoding: bytes.dropLast()) == nil)
    let many = NamespaceIdentificationDescriptorList([.uuid(sixteen)] + Array(repeating: .uuid(sixteen), count: 300))
    #expect(many.encode().count == 4096)
    #expect(NamespaceIdentificationDescriptorList(decoding: many.encode())?.descriptors.count == 204)
  }
}
