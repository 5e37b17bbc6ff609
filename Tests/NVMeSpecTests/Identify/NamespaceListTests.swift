import NVMeSpec
import Testing

@Suite struct NamespaceListTests {
  @Test func encoding() {
    let bytes = NamespaceList([1, 0x0203_0405]).encode()
    #expect(bytes.count == 4096)
    #expect(Array(bytes[0..<12]) == [1, 0, 0, 0, 5, 4, 3, 2, 0, 0, 0, 0])
    #expect(NamespaceList(decoding: bytes)?.identifiers == [1, 0x0203_0405])
  }

  @Test func afterAnIdentifier() {
    #expect(NamespaceList([9, 3, 1, 5] as Set, greaterThan: 1).identifiers == [3, 5, 9])
    #expect(NamespaceList([9, 3, 1, 5] as Set, greaterThan: 9).identifiers.isEmpty)
    #expect(NamespaceList(1...2000, greaterThan: 10).identifiers == Array(11...1034))
  }

  @Test func limits() {
    let full = NamespaceList(Array(1...1025)).encode()
    #expect(full.count == 4096)
    #expect(NamespaceList(decoding: full)?.identifiers == Array(1...1024))
    #expect(NamespaceList(decoding: [UInt8](repeating: 0, count: 4095)) == nil)
  }
}
