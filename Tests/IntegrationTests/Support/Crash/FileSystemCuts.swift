import Glibc
import LinuxIO
import NVMeHost

/// The images that are left where the power of a recorded disk is cut, for a file system to be mounted of.
final class FileSystemCuts {
  private let events: [RecordedDisk.Event]
  /// What is on the disk for certain, as of `position`.
  private let settled: MemoryMapping
  private let work: MemoryMapping
  /// Events that are settled.
  private var settledCount = 0
  /// The file that images are made in.
  let image: ImageFile
  private var random: XorShift
  private let folder: TestFolder

  init(_ disk: RecordedDisk, seed: UInt64) throws {
    events = disk.events
    settled = try MemoryMapping(anonymous: disk.byteCount)
    work = try MemoryMapping(anonymous: disk.byteCount)
    folder = try TestFolder()
    image = try folder.image("cut", byteCount: disk.byteCount)
    random = XorShift(seed: seed)
  }

  /// The positions after a sync, from one on.
  func syncs(from first: Int) -> [Int] {
    events.indices.filter { if case .sync = events[$0] { $0 >= first } else { false } }.map { $0 + 1 }
  }

  /// Makes the image of a cut at a position, not before that of the last call: with all that came before it, or
  /// `losing` what was not synced, by chance.
  func make(at position: Int, losing: Bool) throws {
    let lastSync =
      events[settledCount..<position].lastIndex { if case .sync = $0 { true } else { false } }.map { $0 + 1 }
      ?? settledCount
    while settledCount < lastSync {
      events[settledCount].apply(to: settled.base)
      settledCount += 1
    }
    memcpy(work.base, settled.base, settled.count)
    for event in events[settledCount..<position] {
      if losing, case .write(let offset, let bytes, false) = event {
        // A page of each write or not: what the disk writes at once.
        for start in stride(from: 0, to: bytes.count, by: 4096) where random.next() & 1 == 0 {
          let piece = Array(bytes[start..<min(start + 4096, bytes.count)])
          RecordedDisk.Event.write(offset: offset + start, bytes: piece, isForced: false).apply(to: work.base)
        }
      } else if !losing || random.next() & 1 == 0 || event.isForced {
        event.apply(to: work.base)
      }
    }
    guard pwrite(image.number, work.base, work.count, 0) == work.count else { throw Errno.current }
  }
}

extension RecordedDisk.Event {
  /// Whether it is durable at once.
  var isForced: Bool { if case .write(_, _, true) = self { true } else { false } }
}
