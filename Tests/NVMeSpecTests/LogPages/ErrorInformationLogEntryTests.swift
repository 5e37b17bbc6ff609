import NVMeSpec
import Testing

@Suite struct ErrorInformationLogEntryTests {
  @Test func layout() {
    checkLayout(
      of: ErrorInformationLogEntry.self,
      [
        .integer("error_count", \.errorCount), .integer("sqid", \.submissionQueueIdentifier),
        .integer("cmdid", \.commandIdentifier), .integer("status_field", \.statusAndPhase),
        .integer("parm_error_location", \.parameterErrorLocation), .integer("lba", \.lba),
        .integer("nsid", \.namespaceIdentifier), .integer("vs", \.vendorSpecificInformationAvailable),
        .integer("trtype", \.transportType), .reserved(2), .integer("cs", \.commandSpecificInformation),
        .integer("trtype_spec_info", \.transportTypeSpecificInformation), .reserved(22),
      ])
  }

  @Test func status() {
    var entry = ErrorInformationLogEntry()
    entry.statusAndPhase = 1
    entry.status = .invalidField
    #expect(entry.statusAndPhase == 0x8004)
    #expect(entry.status == .invalidField)
  }

  @Test func page() {
    let entries = (1...3).map { number in
      var entry = ErrorInformationLogEntry()
      entry.errorCount = UInt64(4 - number)
      return entry
    }
    let page = ErrorInformationLogEntry.encode(entries, entryCount: 4)
    #expect(page.count == 256)
    #expect([page[0], page[64], page[128], page[192]] == [3, 2, 1, 0])
    #expect(ErrorInformationLogEntry.decode(page) == entries)
    #expect(ErrorInformationLogEntry.decode(page.dropLast(65) + []) == Array(entries[..<2]))
    #expect(ErrorInformationLogEntry.encode(entries, entryCount: 2) == Array(page[..<128]))
    #expect(ErrorInformationLogEntry.encode(entries, entryCount: -1) == [])
    #expect(ErrorInformationLogEntry.encode([], entryCount: .max).count == 256 * 64)
  }
}
