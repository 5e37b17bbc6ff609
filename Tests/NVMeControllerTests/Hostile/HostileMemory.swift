import GuestMemory
import NVMeController
import NVMeSpec
import Testing

/// Guest memory with every kind of edge: ranges that may be read, written or both, ranges that follow each other, one
/// that ends at 2^64, and canaries wherever the device has no business.
///
/// The canaries lie in the same mapping as what the device may use, so that no access to them is caught by the kernel:
/// a byte of them that has changed was written to, and one that turns up in an image was read.
struct HostileMemory {
  /// The byte that all canaries are made of; nothing else in the tests has 16 of them in a row.
  static let canary: UInt8 = 0xc7
  /// What the range that may only be read is filled with.
  static let readable: UInt8 = 0x11
  /// Where the range that ends at 2^64 begins.
  static let highest = 0 &- UInt64(16 * GuestRAM.pageSize)

  /// Rings and what the test itself reads; no address that the commands are made of leads here.
  private static let own = 0..<64
  /// Data and lists.
  private static let data = 80..<592
  private static let readOnly = 608..<736
  private static let writeOnly = 752..<880
  /// Two mappings that follow each other.
  private static let adjacent = [896..<960, 960..<1024]
  /// The pages that the device finds at the highest addresses.
  private static let high = 1040..<1056
  /// Those of the data pages that hold PRP lists and SGL segments.
  private static let lists = 80..<144

  private static let parts: [GuestRAM.Part] =
    [
      GuestRAM.Part(pages: own), GuestRAM.Part(pages: data), GuestRAM.Part(pages: readOnly, access: .read),
      GuestRAM.Part(pages: writeOnly, access: .write), GuestRAM.Part(pages: high, iova: highest),
    ] + adjacent.map { GuestRAM.Part(pages: $0) }

  let ram: GuestRAM

  init() throws {
    ram = try GuestRAM(megabytes: 8, parts: HostileMemory.parts)
    for page in 0..<ram.pageCount { ram.fill(address(page), GuestRAM.pageSize, HostileMemory.canary) }
    for pages in [HostileMemory.own, HostileMemory.data, HostileMemory.high] + HostileMemory.adjacent {
      ram.fill(address(pages.lowerBound), pages.count * GuestRAM.pageSize, 0)
    }
    let readOnly = HostileMemory.readOnly
    ram.fill(address(readOnly.lowerBound), readOnly.count * GuestRAM.pageSize, HostileMemory.readable)
  }

  private func address(_ page: Int) -> UInt64 { ram.base + UInt64(page * GuestRAM.pageSize) }

  /// The address of a page of the data.
  func dataPage(_ random: inout SeededGenerator) -> UInt64 {
    address(Int.random(in: HostileMemory.data, using: &random))
  }

  /// The addresses of all pages that hold lists.
  var listPages: [UInt64] { HostileMemory.lists.map(address) }

  /// Some address: good, at an edge, not for this access, not mapped, or nonsense.
  func anyAddress(_ random: inout SeededGenerator) -> UInt64 {
    let page: UInt64
    switch UInt64.random(in: 0..<16, using: &random) {
    case 0: return random.next()
    case 1: return 0 &- UInt64.random(in: 0...8192, using: &random)
    case 2:
      let edges = [HostileMemory.data, HostileMemory.readOnly, HostileMemory.writeOnly] + HostileMemory.adjacent
      let pages = edges[Int.random(in: 0..<edges.count, using: &random)]
      let edge = address(Bool.random(using: &random) ? pages.lowerBound : pages.upperBound)
      return edge &+ UInt64(bitPattern: Int64.random(in: -4096...4096, using: &random) & -4)
    case 3: page = address(Int.random(in: 64..<ram.pageCount, using: &random))
    case 4: page = address(Int.random(in: HostileMemory.readOnly, using: &random))
    case 5: page = address(Int.random(in: HostileMemory.writeOnly, using: &random))
    case 6: page = address(Int.random(in: HostileMemory.adjacent[0].lowerBound..<1024, using: &random))
    case 7: page = HostileMemory.highest + UInt64.random(in: 0..<16, using: &random) * 4096
    default: page = dataPage(&random)
    }
    switch UInt64.random(in: 0..<8, using: &random) {
    case 0: return page + UInt64.random(in: 0..<4096, using: &random)
    case 1, 2: return page + UInt64.random(in: 0..<1024, using: &random) * 4
    default: return page
    }
  }

  /// Fills the pages of lists anew: PRP entries, SGL descriptors, chains that end, that loop, and that lead nowhere.
  func writeLists(_ random: inout SeededGenerator) {
    for page in listPages {
      var words: [UInt64] = []
      let kind = UInt64.random(in: 0..<8, using: &random)
      while words.count < 512 {
        switch kind {
        case 0: words.append(random.next())
        case 1: words.append(anyAddress(&random))
        case 2...4: words.append(dataPage(&random))
        default:
          let descriptor = anyDescriptor(&random)
          words += [descriptor.address, descriptor.word1]
        }
      }
      switch UInt64.random(in: 0..<4, using: &random) {
      // The list goes on in itself, or in another.
      case 0: words[511] = page
      case 1: words[511] = anyList(&random)
      case 2:
        let next = SGLDescriptor(type: .segment, address: page, length: 4096)
        words.replaceSubrange(510..<512, with: [next.address, next.word1])
      default:
        let next = SGLDescriptor(type: .segment, address: anyList(&random), length: 4096)
        words.replaceSubrange(510..<512, with: [next.address, next.word1])
      }
      ram.write(words, at: page)
    }
  }

  /// One of the pages of lists.
  func anyList(_ random: inout SeededGenerator) -> UInt64 {
    address(Int.random(in: HostileMemory.lists, using: &random))
  }

  /// Some SGL descriptor: mostly of a type that there is and of a length that may be.
  func anyDescriptor(_ random: inout SeededGenerator) -> SGLDescriptor {
    let lengths: [UInt32] = [0, 1, 16, 48, 511, 512, 1024, 4096, 8192, 65_536, 0xffff_fff0, UInt32.max]
    let length = lengths[Int.random(in: 0..<lengths.count, using: &random)]
    switch UInt64.random(in: 0..<16, using: &random) {
    case 0: return SGLDescriptor(random.next(), random.next())
    case 1: return SGLDescriptor(type: .keyedDataBlock, address: anyAddress(&random), length: length)
    case 2: return SGLDescriptor(type: .dataBlock, subtype: 1, address: anyAddress(&random), length: length)
    case 3, 4: return SGLDescriptor(type: .bitBucket, address: 0, length: length)
    case 5, 6: return SGLDescriptor(type: .segment, address: anyList(&random), length: length)
    case 7: return SGLDescriptor(type: .lastSegment, address: anyList(&random), length: length)
    case 8...12: return SGLDescriptor(type: .dataBlock, address: dataPage(&random), length: length % 8192)
    default: return SGLDescriptor(type: .dataBlock, address: anyAddress(&random), length: length)
    }
  }

  /// Checks that the device has written to nothing that it may not write to.
  func expectIntact(_ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
    let mapped =
      [HostileMemory.own, HostileMemory.data, HostileMemory.writeOnly, HostileMemory.high]
      + HostileMemory.adjacent
    for page in 0..<ram.pageCount where !mapped.contains(where: { $0.contains(page) }) {
      let expected = HostileMemory.readOnly.contains(page) ? HostileMemory.readable : HostileMemory.canary
      let isIntact = ram.isFilled(address(page), GuestRAM.pageSize, expected)
      #expect(isIntact, "page \(page) was written to; \(comment)", sourceLocation: sourceLocation)
    }
  }

  /// Whether bytes hold a piece of a canary: they were read where nothing may be read.
  static func hasCanary(_ bytes: [UInt8]) -> Bool {
    var run = 0
    for byte in bytes {
      run = byte == canary ? run + 1 : 0
      if run == 16 { return true }
    }
    return false
  }
}
