import Glibc
import LinuxIO
import NVMeHost

/// The images that are left where the power of a recorded disk is cut, for a file system to be mounted of.
final class FileSystemCuts {
  private let events: [RecordedDisk.Event]
  /// What is on the disk for certain, at `position`.
  private let settled: MemoryMapping
  private let work: MemoryMapping
  private var unsettled = UnsettledRequests()
  /// Of the last cut.
  private var position = 0
  /// The file that images are made in.
  let image: ImageFile
  private var random: XorShift
  private let folder: TestFolder

  /// Of a disk of zeros.
  init(_ events: [RecordedDisk.Event], byteCount: Int, seed: UInt64) throws {
    self.events = events
    settled = try MemoryMapping(anonymous: byteCount)
    work = try MemoryMapping(anonymous: byteCount)
    folder = try TestFolder()
    image = try folder.image("cut", byteCount: byteCount)
    random = XorShift(seed: seed)
  }

  /// The positions after a sync, from one on.
  func syncs(from first: Int) -> [Int] {
    events.indices.filter { if case .sync = events[$0] { $0 >= first } else { false } }.map { $0 + 1 }
  }

  /// Makes the image of a cut at a position, not before that of the last call: with all that came before it, or
  /// `losing` what was not synced, by chance.
  ///
  /// - Returns: how many pieces were lost that would have made a difference.
  @discardableResult
  func make(at position: Int, losing: Bool) throws -> Int {
    while self.position < position {
      for request in unsettled.take(events[self.position], at: self.position) {
        events[request].apply(to: settled.base)
      }
      self.position += 1
    }
    memcpy(work.base, settled.base, settled.count)
    var lost = 0
    for request in unsettled.answered { put(events[request], isCertain: !losing || events[request].isForced, &lost) }
    for request in unsettled.inFlight { put(events[request], isCertain: !losing, &lost) }
    guard pwrite(image.number, work.base, work.count, 0) == work.count else { throw Errno.current }
    return lost
  }

  /// Puts a page of each write or not, which is what the disk writes at once; zeros as a whole.
  private func put(_ event: RecordedDisk.Event, isCertain: Bool, _ lost: inout Int) {
    for piece in isCertain ? [event] : event.pieces {
      if isCertain || random.next() & 1 == 0 {
        piece.apply(to: work.base)
      } else if piece.differs(from: work.base) {
        lost += 1
      }
    }
  }
}

extension RecordedDisk.Event {
  /// A page each of a write.
  fileprivate var pieces: [RecordedDisk.Event] {
    guard case .write(let offset, let bytes, let isForced) = self else { return [self] }
    return stride(from: 0, to: bytes.count, by: 4096).map { start in
      let piece = Array(bytes[start..<min(start + 4096, bytes.count)])
      return .write(offset: offset + start, bytes: piece, isForced: isForced)
    }
  }

  /// Does it to a disk in memory.
  func apply(to disk: UnsafeMutableRawPointer) {
    switch self {
    case .write(let offset, let bytes, _): memcpy(disk + offset, bytes, bytes.count)
    case .clear(let range): memset(disk + range.lowerBound, 0, range.count)
    case .answer, .sync: break
    }
  }

  /// Whether a disk in memory would be another one with it.
  fileprivate func differs(from disk: UnsafeMutableRawPointer) -> Bool {
    switch self {
    case .write(let offset, let bytes, _): memcmp(disk + offset, bytes, bytes.count) != 0
    case .clear(let range):
      UnsafeRawBufferPointer(start: disk + range.lowerBound, count: range.count).contains { $0 != 0 }
    case .answer, .sync: false
    }
  }
}
