/// The parts of an ELF kernel that a loader needs: its segments and its PVH entry.
///
/// The file is not trusted: every number is checked against the file's size and against the others.
/// Source: System V ABI, "Object Files" and "Program Loading"; Xen, xen/include/public/elfnote.h.
struct ELFImage: Equatable, Sendable {
  /// A part of the file that goes to memory; memory beyond `fileSize` is zero.
  struct Segment: Equatable, Sendable {
    /// Where in the file.
    var offset: UInt64
    /// Bytes in the file.
    var fileSize: UInt64
    /// The physical addresses.
    var memory: Range<UInt64>
  }

  /// Bytes of the ELF header, which begins the file.
  static let headerSize = 64
  /// Bytes of a program header.
  private static let programHeaderSize = 56
  /// Most program headers: vmlinux has five.
  private static let mostProgramHeaders = 64
  /// Most bytes of notes that are read.
  private static let mostNoteBytes: UInt64 = 1 << 16
  private static let magic: [UInt8] = [0x7F, 0x45, 0x4C, 0x46]
  /// EI_CLASS, EI_DATA, EI_VERSION: 64 bits, little endian, 1.
  private static let identification: [UInt8] = [2, 1, 1]
  private static let machineX86: UInt16 = 62
  private static let loadType: UInt32 = 1
  private static let noteType: UInt32 = 4
  /// XEN_ELFNOTE_PHYS32_ENTRY of owner "Xen".
  private static let physicalEntryNote: UInt32 = 18
  private static let noteOwner: [UInt8] = [0x58, 0x65, 0x6E, 0]

  /// What goes to memory, in the order of the file.
  private(set) var segments: [Segment] = []
  /// Where the kernel begins in 32-bit protected mode.
  private(set) var entry: UInt32 = 0

  /// Reads headers and notes.
  ///
  /// - Parameters:
  ///   - fileSize: bytes of the file.
  ///   - read: reads that many bytes at an offset, which lie in the file.
  init(
    fileSize: UInt64, read: (_ offset: UInt64, _ count: Int) throws(KernelImageError) -> [UInt8]
  ) throws(KernelImageError) {
    guard fileSize >= UInt64(ELFImage.headerSize) else { throw .notELF }
    let header = try read(0, ELFImage.headerSize)
    guard Array(header[0..<4]) == ELFImage.magic else { throw .notELF }
    guard Array(header[4..<7]) == ELFImage.identification, header.integer(at: 18) == ELFImage.machineX86 else {
      throw .notX86
    }
    let tableOffset: UInt64 = header.integer(at: 32)
    let count = Int(header.integer(at: 56) as UInt16)
    guard Int(header.integer(at: 54) as UInt16) == ELFImage.programHeaderSize, count > 0,
      count <= ELFImage.mostProgramHeaders
    else { throw .badProgramHeaders }
    let tableSize = count * ELFImage.programHeaderSize
    guard ELFImage.lies(tableOffset, UInt64(tableSize), in: fileSize) else { throw .badProgramHeaders }
    let table = try read(tableOffset, tableSize)
    var entry: UInt32?
    for index in 0..<count {
      let start = index * ELFImage.programHeaderSize
      let offset: UInt64 = table.integer(at: start + 8)
      let size: UInt64 = table.integer(at: start + 32)
      switch table.integer(at: start) as UInt32 {
      case ELFImage.loadType:
        let address: UInt64 = table.integer(at: start + 24)
        let memorySize: UInt64 = table.integer(at: start + 40)
        let (end, overflows) = address.addingReportingOverflow(memorySize)
        guard ELFImage.lies(offset, size, in: fileSize), size <= memorySize, !overflows else {
          throw .badSegment(index)
        }
        if memorySize > 0 { segments.append(Segment(offset: offset, fileSize: size, memory: address..<end)) }
      case ELFImage.noteType where entry == nil:
        guard ELFImage.lies(offset, size, in: fileSize), size <= ELFImage.mostNoteBytes else {
          throw .badSegment(index)
        }
        entry = ELFImage.physicalEntry(notes: try read(offset, Int(size)))
      default: break
      }
    }
    guard let entry else { throw .noPVHEntry }
    guard segments.contains(where: { $0.memory.contains(UInt64(entry)) }) else { throw .entryOutsideOfSegments }
    self.entry = entry
  }

  /// The lowest and the highest address of all segments; nil: none.
  var extent: Range<UInt64>? {
    guard let low = segments.map(\.memory.lowerBound).min(), let high = segments.map(\.memory.upperBound).max() else {
      return nil
    }
    return low..<high
  }

  private static func lies(_ offset: UInt64, _ count: UInt64, in size: UInt64) -> Bool {
    offset <= size && count <= size - offset
  }

  /// The PVH entry among notes: each has the sizes of its owner and its description, a type, and both padded to 4 bytes.
  private static func physicalEntry(notes: [UInt8]) -> UInt32? {
    var position = 0
    while notes.count - position >= 12 {
      let ownerSize = Int(notes.integer(at: position) as UInt32)
      let size = Int(notes.integer(at: position + 4) as UInt32)
      let type: UInt32 = notes.integer(at: position + 8)
      let owner = position + 12
      // No overflow: both sizes have 32 bits.
      let description = owner + (ownerSize + 3) & ~3
      let next = description + (size + 3) & ~3
      guard description <= notes.count, size <= notes.count - description else { return nil }
      if type == physicalEntryNote, Array(notes[owner..<owner + ownerSize]) == noteOwner {
        if size == 4 { return notes.integer(at: description) as UInt32 }
        if size == 8 { return UInt32(exactly: notes.integer(at: description) as UInt64) }
      }
      guard next <= notes.count else { return nil }
      position = next
    }
    return nil
  }
}

extension [UInt8] {
  /// The integer at `offset`, lowest byte first; bytes beyond the end are 0.
  fileprivate func integer<Integer: FixedWidthInteger>(at offset: Int) -> Integer {
    (0..<Integer.bitWidth / 8).reduce(0) { value, index in
      let position = offset + index
      return position < count ? value | Integer(truncatingIfNeeded: self[position]) << Integer(index * 8) : value
    }
  }
}
