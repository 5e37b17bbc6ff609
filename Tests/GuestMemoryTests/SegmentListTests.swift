import CLinux
import Testing

@testable import GuestMemory

@Suite struct SegmentListTests {
  /// A list in an array of its own. The addresses are never used.
  private final class Segments {
    private let base: UnsafeMutablePointer<iovec>
    var list: SegmentList

    init(capacity: Int) {
      base = .allocate(capacity: max(capacity, 1))
      list = SegmentList(base, capacity: capacity)
    }

    deinit { base.deallocate() }

    func append(_ address: UInt, _ length: UInt64) -> Bool {
      guard let pointer = UnsafeMutableRawPointer(bitPattern: address) else { return false }
      return list.append(pointer, length)
    }

    var pieces: [[UInt]] {
      (0..<list.count).map { [UInt(bitPattern: base[$0].iov_base), UInt(base[$0].iov_len)] }
    }
  }

  @Test func joinsWhatFollowsAndOnlyThat() {
    let segments = Segments(capacity: 4)
    #expect(segments.append(0x1000, 0x1000))
    #expect(segments.append(0x2000, 0x800))
    #expect(segments.append(0x3000, 0x1000))
    #expect(segments.append(0x2800, 8))
    #expect(segments.pieces == [[0x1000, 0x1800], [0x3000, 0x1000], [0x2800, 8]])
    #expect(segments.list.byteCount == 0x2808)
  }

  @Test func aFullArrayTakesOnlyWhatJoins() {
    let segments = Segments(capacity: 1)
    #expect(segments.append(0x1000, 16))
    #expect(segments.append(0x1010, 16))
    #expect(!segments.append(0x2000, 16))
    #expect(segments.pieces == [[0x1000, 32]])
    #expect(!Segments(capacity: 0).append(0x1000, 16))
  }

  @Test func tellsTheAlignmentOfAll() {
    let segments = Segments(capacity: 4)
    #expect(segments.append(0x10_0000, 0x1000))
    #expect(segments.list.alignmentBits & 0xfff == 0)
    #expect(segments.append(0x20_0200, 0x1000))
    #expect(segments.list.alignmentBits & 0xfff == 0x200)
    #expect(segments.append(0x30_0000, 0x204))
    #expect(segments.list.alignmentBits & 0x1ff == 4)
  }
}
