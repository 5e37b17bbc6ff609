import Testing

@testable import MicroVMM

/// A small kernel image that can be damaged.
struct KernelFile {
  /// Type, offset, physical address, bytes in the file, bytes in memory.
  typealias Header = (type: UInt32, offset: UInt64, address: UInt64, fileSize: UInt64, memorySize: UInt64)

  var headers: [Header]
  var notes: [UInt8]
  var code: [UInt8]
  var fields: [Int: [UInt8]] = [:]

  static let notesOffset = 0x200
  static let codeOffset = 0x400

  /// A kernel at 16 MiB whose entry is its begin.
  init() {
    notes =
      KernelFile.note("Linux\0", 257, [0, 0, 0, 0]) + KernelFile.note("Xen\0", 18, littleEndian(UInt64(0x100_0000)))
    code = Array(0..<64)
    headers = [
      (1, UInt64(KernelFile.codeOffset), 0x100_0000, 64, 0x2000),
      (4, UInt64(KernelFile.notesOffset), 0, UInt64(notes.count), UInt64(notes.count)),
    ]
  }

  static func note(_ owner: String, _ type: UInt32, _ description: [UInt8]) -> [UInt8] {
    func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4) }
    return littleEndian(UInt32(owner.utf8.count)) + littleEndian(UInt32(description.count)) + littleEndian(type)
      + padded(Array(owner.utf8)) + padded(description)
  }

  var bytes: [UInt8] {
    var file: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
    file += littleEndian(UInt16(2)) + littleEndian(UInt16(62)) + littleEndian(UInt32(1))
    file += littleEndian(UInt64(0)) + littleEndian(UInt64(64)) + littleEndian(UInt64(0)) + littleEndian(UInt32(0))
    file += littleEndian(UInt16(64)) + littleEndian(UInt16(56)) + littleEndian(UInt16(headers.count))
    file += [UInt8](repeating: 0, count: 6)
    for header in headers {
      file += littleEndian(header.type) + littleEndian(UInt32(7)) + littleEndian(header.offset)
      file += littleEndian(header.address &+ 0xFFFF_FFFF_8000_0000) + littleEndian(header.address)
      file += littleEndian(header.fileSize) + littleEndian(header.memorySize) + littleEndian(UInt64(4))
    }
    func put(_ bytes: [UInt8], at offset: Int) {
      if file.count < offset + bytes.count {
        file += [UInt8](repeating: 0, count: offset + bytes.count - file.count)
      }
      file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    put(notes, at: KernelFile.notesOffset)
    put(code, at: KernelFile.codeOffset)
    for (offset, bytes) in fields { put(bytes, at: offset) }
    return file
  }

  /// Reads it as a loader does.
  static func read(_ file: [UInt8]) throws(KernelImageError) -> ELFImage {
    try ELFImage(fileSize: UInt64(file.count)) { (offset, count) throws(KernelImageError) in
      // A range that is not in the file traps here.
      Array(file[Int(offset)..<Int(offset) + count])
    }
  }
}

@Suite struct ELFImageTests {
  @Test func findsSegmentsAndEntry() throws {
    let image = try KernelFile.read(KernelFile().bytes)
    #expect(image.entry == 0x100_0000)
    #expect(
      image.segments == [ELFImage.Segment(offset: 0x400, fileSize: 64, memory: 0x100_0000..<0x100_2000)])
    #expect(image.extent == 0x100_0000..<0x100_2000)
  }

  @Test func theEntryMayHave32Bits() throws {
    var file = KernelFile()
    file.notes = KernelFile.note("Xen\0", 18, littleEndian(UInt32(0x100_1FFF)))
    file.headers[1].fileSize = UInt64(file.notes.count)
    #expect(try KernelFile.read(file.bytes).entry == 0x100_1FFF)
  }

  @Test(arguments: 0..<64) func aHeaderThatIsCutShort(count: Int) {
    #expect(throws: KernelImageError.notELF) { try KernelFile.read(Array(KernelFile().bytes.prefix(count))) }
  }

  @Test(
    arguments: [
      (0, [0x7E], .notELF), (4, [1], .notX86), (5, [2], .notX86), (18, [183], .notX86),
      (32, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .badProgramHeaders),
      (32, [0x00, 0x04], .badProgramHeaders), (54, [57], .badProgramHeaders), (56, [0], .badProgramHeaders),
      (56, [65], .badProgramHeaders),
    ] as [(Int, [UInt8], KernelImageError)])
  func aDamagedHeader(offset: Int, bytes: [UInt8], error: KernelImageError) {
    var file = KernelFile()
    file.fields[offset] = bytes
    #expect(throws: error) { try KernelFile.read(file.bytes) }
  }

  @Test(
    arguments: [
      (1, UInt64.max, 0x100_0000, 64, 64), (1, 0x400, 0x100_0000, UInt64.max, UInt64.max),
      (1, 0x401, 0x100_0000, 64, 64),
      (1, 0x400, 0x100_0000, 64, 63), (1, 0x400, UInt64.max, 64, 64), (4, UInt64.max, 0, 16, 16), (4, 0x400, 0, 65, 65),
    ] as [KernelFile.Header])
  func aDamagedProgramHeader(header: KernelFile.Header) {
    var file = KernelFile()
    file.headers.insert(header, at: 0)
    #expect(throws: KernelImageError.badSegment(0)) { try KernelFile.read(file.bytes) }
  }

  /// No note of ours, an owner or a description that passes the end, sizes that would overflow, an entry of 64 bits.
  @Test(arguments: [
    [], KernelFile.note("Xen\0", 17, littleEndian(UInt32(0x100_0000))),
    KernelFile.note("Yen\0", 18, littleEndian(UInt32(0x100_0000))),
    littleEndian(UInt32.max) + littleEndian(UInt32.max) + littleEndian(UInt32(18)) + [0x58, 0x65, 0x6E, 0],
    littleEndian(UInt32(4)) + littleEndian(UInt32(5)) + littleEndian(UInt32(18)) + [0x58, 0x65, 0x6E, 0, 1, 2, 3, 4],
    KernelFile.note("Xen\0", 18, littleEndian(UInt64(0x1_0100_0000))), KernelFile.note("Xen\0", 18, [0, 0]),
    [1, 2, 3],
  ])
  func notesWithoutAnEntry(notes: [UInt8]) {
    var file = KernelFile()
    file.notes = notes
    file.headers[1].fileSize = UInt64(notes.count)
    #expect(throws: KernelImageError.noPVHEntry) { try KernelFile.read(file.bytes) }
  }

  @Test func anEntryOutsideOfTheSegments() {
    var file = KernelFile()
    file.headers[0].address = 0x200_0000
    #expect(throws: KernelImageError.entryOutsideOfSegments) { try KernelFile.read(file.bytes) }
  }

  /// Every byte of the headers and notes, one at a time: whatever comes out, nothing outside of the file is read.
  @Test(arguments: [0x00, 0x01, 0x7F, 0x80, 0xFF] as [UInt8])
  func everyDamagedByteIsHandled(value: UInt8) {
    let good = KernelFile().bytes
    for offset in 0..<KernelFile.codeOffset {
      var file = good
      file[offset] = value
      _ = try? KernelFile.read(file)
      _ = try? KernelFile.read(Array(file.prefix(offset)))
    }
  }
}
