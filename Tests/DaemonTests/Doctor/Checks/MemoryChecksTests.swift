import Glibc
import LinuxIO
import Testing

@testable import Daemon

@Suite struct HugePagesCheckTests {
  @Test(arguments: [
    ("[always] within_size advise never deny force", Finding.Verdict.ok),
    ("always within_size [advise] never deny force", .ok), ("always within_size advise [never] deny force", .limited),
    ("always within_size advise never [deny] force", .limited), ("", .limited),
  ])
  func saysWhetherTheKernelFormsThem(_ setting: String, _ verdict: Finding.Verdict) throws {
    let folder = try TestFolder()
    let path = try folder.text("shmem_enabled", setting)
    let finding = try HugePagesCheck(sharedMemorySetting: path).findings().only("memory.thp")
    #expect(finding.verdict == verdict)
    #expect((finding.remedy == nil) == (verdict == .ok))
  }

  @Test func saysWhetherReservedOnesCanBeMapped() throws {
    let folder = try TestFolder()
    let check = HugePagesCheck(reservedPages: try folder.text("nr_hugepages", "12\n"))
    let mapped = check.reserved(.success(2 << 20))
    #expect(mapped.verdict == .ok)
    #expect(mapped.reason.contains("2MiB"))
    let exhausted = check.reserved(.failure(.outOfMemory))
    #expect(exhausted.verdict == .limited)
    #expect(exhausted.reason.contains("12 are reserved (vm.nr_hugepages), and none is free"))
    try folder.text("nr_hugepages", "0\n")
    #expect(check.reserved(.failure(.outOfMemory)).reason.contains("none are reserved"))
    #expect(check.reserved(.failure(Errno(rawValue: ENOSYS))).remedy?.contains("CONFIG_HUGETLBFS") == true)
  }
}

@Suite struct SealsCheckTests {
  @Test func sealsHold() throws { #expect(try SealsCheck().findings().only("memory.seals").verdict == .ok) }
}
