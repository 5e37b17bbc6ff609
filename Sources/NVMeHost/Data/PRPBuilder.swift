import NVMeSpec

/// The data pointer of a command as physical region pages (NVMe base 2.0, 4.1.1), and the list it points to.
public struct PRPPointer: Sendable {
  /// PRP entry 1.
  public var prp1: UInt64
  /// PRP entry 2: nothing, the second page, or the list.
  public var prp2: UInt64
  /// The pages of the list; the controller may read them until the command has completed.
  public var list: HostBuffer?

  /// Writes the two entries into a command.
  public func apply(to entry: inout SubmissionQueueEntry) {
    entry.dataTransferType = 0
    entry.prp1 = prp1
    entry.prp2 = prp2
  }

  /// Gives the pages of the list back.
  public func free() { list.map { $0.memory.free($0) } }
}

/// Makes PRP entries and PRP lists, for memory pages of 4 KiB (CC.MPS 0).
public enum PRPBuilder {
  private static let pageSize = HostMemory.pageSize
  private static let entrySize = 8

  /// The PRP entries of a transfer, the first one included: an address for each page that the transfer touches.
  ///
  /// - Parameter parts: the data, in order. The first may begin anywhere and the last may end anywhere; between them
  ///   there are whole pages.
  /// - Throws: `invalidArgument` where PRPs cannot say it.
  public static func entries(of parts: [HostBuffer]) throws(HostError) -> [UInt64] {
    var entries: [UInt64] = []
    for (index, part) in parts.enumerated() {
      let end = part.offset + part.count
      guard part.count > 0, index == 0 || part.offset % pageSize == 0,
        index == parts.count - 1 || end % pageSize == 0
      else { throw .invalidArgument("PRP entries are whole pages but at both ends") }
      var offset = part.offset
      while offset < end {
        entries.append(part.memory.iova(at: offset))
        offset = (offset / pageSize + 1) * pageSize
      }
    }
    return entries
  }

  /// How many pages the list of so many entries takes, PRP entry 1 counted but not stored; 0 where none is needed.
  ///
  /// - Parameters:
  ///   - entryCount: the entries of the command, PRP entry 1 with them.
  ///   - listOffset: where in its first page the list begins; a multiple of 8, below 4096.
  public static func listPageCount(entryCount: Int, listOffset: Int = 0) -> Int {
    guard entryCount > 2 else { return 0 }
    var rest = entryCount - 1
    var room = (pageSize - listOffset) / entrySize
    var pages = 1
    while rest > room {
      rest -= room - 1
      room = pageSize / entrySize
      pages += 1
    }
    return pages
  }

  /// Makes the data pointer of `entries`.
  ///
  /// - Parameters:
  ///   - entries: as `entries(of:)` makes them, or any others.
  ///   - list: whole pages for the list, as many as `listPageCount` says; nil where none is needed.
  ///   - listOffset: where in its first page the list begins; a multiple of 8, below 4096.
  /// - Throws: `invalidArgument` where the list has no room.
  public static func pointer(
    to entries: [UInt64], list: HostBuffer?, listOffset: Int = 0
  ) throws(HostError) -> PRPPointer {
    let first = entries.first ?? 0
    guard entries.count > 2 else {
      return PRPPointer(prp1: first, prp2: entries.count == 2 ? entries[1] : 0, list: nil)
    }
    let needed = listPageCount(entryCount: entries.count, listOffset: listOffset)
    guard let list, list.offset % pageSize == 0, list.count >= needed * pageSize,
      listOffset >= 0, listOffset < pageSize, listOffset % entrySize == 0
    else { throw .invalidArgument("a PRP list of \(needed) pages is needed") }
    var position = listOffset
    for (index, entry) in entries.enumerated().dropFirst() {
      let isLastOfPage = position % pageSize == pageSize - entrySize
      if isLastOfPage, index < entries.count - 1 {
        let next = position + entrySize
        list.store(list.iova(at: next), at: position)
        position = next
      }
      list.store(entry, at: position)
      position += entrySize
    }
    return PRPPointer(prp1: first, prp2: list.iova(at: listOffset), list: list)
  }

  /// Makes the data pointer of a transfer, with a list from the same memory where one is needed.
  ///
  /// - Throws: `invalidArgument` where PRPs cannot say it, `outOfMemory`.
  public static func pointer(to parts: [HostBuffer], listOffset: Int = 0) throws(HostError) -> PRPPointer {
    let entries = try entries(of: parts)
    let pages = listPageCount(entryCount: entries.count, listOffset: listOffset)
    guard pages > 0, let memory = parts.first?.memory else { return try pointer(to: entries, list: nil) }
    // The pages of a list are each found by the address in the page before, so they need not be contiguous.
    let list = try memory.allocate(pages * pageSize, contiguous: false)
    return try pointer(to: entries, list: list, listOffset: listOffset)
  }
}
