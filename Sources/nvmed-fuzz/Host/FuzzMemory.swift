import CLinux
import Glibc
import LinuxIO

/// The guest's memory: one memfd for all inputs, as it costs more to make than an input to run. Each begins with the
/// same content.
///
/// | pages | device may |
/// |---|---|
/// | 0..7 | read and write: queues |
/// | 8..27 | read and write |
/// | 28..33 | read |
/// | 34..37 | write |
/// | 38..47 | nothing: not mapped |
enum FuzzMemory {
  static let pageSize = 4096
  static let pageCount = 48
  static let byteCount = pageCount * pageSize
  static let queuePages = 0..<8
  static let dataPages = 8..<28
  static let readOnlyPages = 28..<34
  static let writeOnlyPages = 34..<38
  static let hiddenPages = 38..<48

  /// The memfd. Not sealed: a guest may take its memory away.
  static let descriptor: Int32 = {
    let number = clinux_memfd_create("fuzz", UInt32(CLINUX_MFD_CLOEXEC))
    guard number >= 0, ftruncate(number, byteCount) == 0 else { fatalError("no memory: \(Errno.current)") }
    return number
  }()

  private static let mapping: MemoryMapping = {
    do { return try MemoryMapping(fd: descriptor, offset: 0, count: byteCount, [.read, .write]) } catch {
      fatalError("no memory: \(error)")
    }
  }()

  /// What the pages that the device must not write to hold: at first, and now.
  nonisolated(unsafe) private static let original = guardedCopy()
  nonisolated(unsafe) private static let expected = guardedCopy()
  nonisolated(unsafe) private static var hasOtherGuards = false
  /// Whether it is known that they hold what they held at first.
  nonisolated(unsafe) private static var guardsAreOriginal = false
  /// Whether the other pages may not be zero.
  nonisolated(unsafe) private static var isUsed = true

  private static let guardedRanges = [readOnlyPages, hiddenPages]
  private static let guardedCount = (readOnlyPages.count + hiddenPages.count) * pageSize

  private static func guardedCopy() -> UnsafeMutableRawPointer {
    let copy = UnsafeMutableRawPointer.allocate(byteCount: guardedCount, alignment: 8)
    var value: UInt64 = 0x0123_4567_89ab_cdef
    for offset in stride(from: 0, to: guardedCount, by: 8) {
      copy.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
      value = value &* 6_364_136_223_846_793_005 &+ 1
    }
    return copy
  }

  /// The address of a byte.
  static func address(_ offset: Int) -> UnsafeMutableRawPointer {
    require(offset >= 0 && offset < byteCount)
    isUsed = true
    return mapping.base + offset
  }

  /// The address of a page.
  static func page(_ number: Int) -> UnsafeMutableRawPointer { address(number * pageSize) }

  /// Everything as at first.
  static func reset() {
    guard isUsed else { return }
    if hasOtherGuards {
      memcpy(expected, original, guardedCount)
      hasOtherGuards = false
    }
    fillZeros()
    if !guardsAreOriginal { fillGuards() }
    guardsAreOriginal = false
    isUsed = false
  }

  /// The memory is given to somebody.
  static func give() -> Int32 {
    isUsed = true
    return descriptor
  }

  private static func fillZeros() {
    memset(mapping.base, 0, readOnlyPages.lowerBound * pageSize)
    memset(page(writeOnlyPages.lowerBound), 0, writeOnlyPages.count * pageSize)
  }

  /// The guarded pages as they are expected.
  private static func fillGuards() {
    var place = 0
    for pages in guardedRanges {
      memcpy(page(pages.lowerBound), expected + place, pages.count * pageSize)
      place += pages.count * pageSize
    }
  }

  /// The pages that the device must not write to are what they were.
  static func checkGuards() {
    var place = 0
    for pages in guardedRanges {
      let holds = memcmp(page(pages.lowerBound), expected + place, pages.count * pageSize) == 0
      require(holds, "the device wrote where it must not")
      place += pages.count * pageSize
    }
    guardsAreOriginal = !hasOtherGuards
  }

  /// Changes memory as a guest does.
  static func poke(_ offset: Int, _ value: UInt64) {
    let place = min(offset, byteCount - 8) & ~7
    address(place).storeBytes(of: value, as: UInt64.self)
    var guarded = 0
    for pages in guardedRanges {
      let start = pages.lowerBound * pageSize
      if pages.contains(place / pageSize) {
        expected.storeBytes(of: value, toByteOffset: guarded + place - start, as: UInt64.self)
        hasOtherGuards = true
      }
      guarded += pages.count * pageSize
    }
  }

  /// Takes memory away behind the first `pages`, has `body` done, and gives it back, with the content of the beginning.
  static func truncated(to pages: Int, _ body: () -> Void) {
    // What the file is cut off is not there for this process either.
    checkGuards()
    guard ftruncate(descriptor, pages * pageSize) == 0 else { fatalError("ftruncate: \(Errno.current)") }
    body()
    guard ftruncate(descriptor, byteCount) == 0 else { fatalError("ftruncate: \(Errno.current)") }
    fillZeros()
    fillGuards()
  }
}
