import Glibc
import NVMeHost

/// Blocks of `nvmed-bench drive`, which say where they belong and which version they are.
enum DriveBlock {
  /// What a block turned out to be.
  enum Content: Hashable {
    /// As written, of that version.
    case version(UInt64)
    case zeros
    /// Another place's, torn, or nobody's.
    case foreign
  }

  private static let magic: UInt64 = 0x6B63_6F6C_4264_6D76

  /// Fills a block.
  static func fill(_ block: HostBuffer, lba: UInt64, version: UInt64) {
    block.store(magic, at: 0)
    block.store(lba, at: 8)
    block.store(version, at: 16)
    var random = XorShift(seed: lba &* 0x9E37_79B9_7F4A_7C15 ^ version)
    for position in stride(from: 24, to: block.count - 7, by: 8) { block.store(random.next(), at: position) }
  }

  /// What is in a block.
  static func content(_ block: HostBuffer, lba: UInt64) -> Content {
    let bytes = block.bytes
    if bytes.allSatisfy({ $0 == 0 }) { return .zeros }
    guard block.load(UInt64.self, at: 0) == magic, block.load(UInt64.self, at: 8) == lba else { return .foreign }
    let version = block.load(UInt64.self, at: 16)
    var random = XorShift(seed: lba &* 0x9E37_79B9_7F4A_7C15 ^ version)
    for position in stride(from: 24, to: block.count - 7, by: 8)
    where block.load(UInt64.self, at: position) != random.next() {
      return .foreign
    }
    return .version(version)
  }

  /// What is in the blocks of a buffer, in words: `7`, `6-7`, `zeros`, `foreign`, or several of them.
  static func summary(_ data: HostBuffer, lba: UInt64, blockByteCount: Int) -> String {
    var contents: Set<Content> = []
    for (index, start) in stride(from: 0, to: data.count, by: blockByteCount).enumerated() {
      contents.insert(content(data[start..<start + blockByteCount], lba: lba &+ UInt64(index)))
    }
    let versions = contents.compactMap { if case .version(let version) = $0 { version } else { nil } }
    var words: [String] = []
    if let first = versions.min(), let last = versions.max() {
      words.append(first == last ? "\(first)" : "\(first)-\(last)")
    }
    if contents.contains(.zeros) { words.append("zeros") }
    if contents.contains(.foreign) { words.append("foreign") }
    return words.joined(separator: " ")
  }
}
