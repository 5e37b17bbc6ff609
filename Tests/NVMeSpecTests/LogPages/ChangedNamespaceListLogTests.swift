import NVMeSpec
import Testing

@Suite struct ChangedNamespaceListLogTests {
  @Test func encoding() {
    let bytes = ChangedNamespaceListLog([3, 1]).encode()
    #expect(bytes == [1, 0, 0, 0, 3] + [UInt8](repeating: 0, count: 4091))
    #expect(ChangedNamespaceListLog(decoding: bytes)?.identifiers == [1, 3])
  }

  @Test func tooMany() {
    #expect(ChangedNamespaceListLog(1...1024).identifiers?.count == 1024)
    let log = ChangedNamespaceListLog(1...1025)
    #expect(log.identifiers == nil)
    #expect(log.encode() == [0xFF, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 4092))
    #expect(ChangedNamespaceListLog(decoding: log.encode()) == log)
    #expect(ChangedNamespaceListLog(decoding: log.encode().dropLast()) == nil)
  }
}
