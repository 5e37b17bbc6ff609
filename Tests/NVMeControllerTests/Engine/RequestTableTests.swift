import NVMeSpec
import Testing

@testable import NVMeController

/// The slots of an I/O thread's requests: `RequestTable.swift`.
@Suite struct RequestTableTests {
  private static let origin = Request.Origin(port: 0, submissionQueue: 1, begun: 0)

  /// A completion that comes late, or twice, is of no request that has the slot now.
  @Test(arguments: [true, false]) func aCookieIsOfOneUse(isSimple: Bool) throws {
    var table = RequestTable(count: 2)
    var cookies: Set<UInt64> = []
    for _ in 0..<1000 {
      let next = table.next
      let index = try #require(next)
      let cookie = table.begin(
        index, .read, SubmissionQueueEntry(.read), from: Self.origin, offset: 0, length: 512)
      let isNew = cookies.insert(cookie).inserted
      let found = table.index(cookie: cookie)
      #expect(isNew && found == index)
      if isSimple { table.releaseSimple(index) } else { table.release(index) }
      let ended = table.index(cookie: cookie)
      #expect(ended == nil)
    }
    let last = table.next
    let index = try #require(last)
    _ = table.begin(index, .read, SubmissionQueueEntry(.read), from: Self.origin, offset: 0, length: 512)
    for cookie in cookies {
      let found = table.index(cookie: cookie)
      #expect(found == nil)
    }
  }

  /// What the kernel gives back is looked up, whatever it is.
  @Test func cookiesOfNoRequest() throws {
    let table = RequestTable(count: 2)
    for cookie: UInt64 in [0, 1, 2, 0x7fff_ffff, 0xffff_ffff, 1 << 32, 1 << 63, .max] {
      let found = table.index(cookie: cookie)
      #expect(found == nil)
    }
  }
}
