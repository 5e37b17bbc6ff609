import Synchronization

/// Which files a file system was asked to keep, and from which position of the disk on they are promised to be there.
final class FileHistory: Sendable {
  struct Version: Sendable {
    let name: String
    let number: Int
    /// Of the disk, when it was durable under its name; nil: it never was.
    var durableAt: Int?
  }

  private let state = Mutex<[Version]>([])

  /// A file is about to get another content. Gives the content's number: not 0.
  func begin(_ name: String) -> Int {
    state.withLock { versions in
      versions.append(Version(name: name, number: versions.count + 1))
      return versions.count
    }
  }

  /// It is durable.
  func end(_ number: Int, position: Int) { state.withLock { $0[number - 1].durableAt = position } }

  /// What is not as it may be after a power cut at a position.
  ///
  /// - Parameter content: what is in a file then; nil where there is none of that name.
  func violations(at position: Int, _ content: (String) throws -> [UInt8]?) rethrows -> [String] {
    var violations: [String] = []
    for (name, versions) in Dictionary(grouping: state.withLock { $0 }, by: \.name) {
      // The last version that must be there; those from it on may be.
      let durable = versions.last { ($0.durableAt ?? .max) <= position }?.number
      guard let bytes = try content(name) else {
        if let durable { violations.append("\(name) of version \(durable) is gone") }
        continue
      }
      let number = FileContent.number(bytes)
      if let number, number >= durable ?? 0, versions.contains(where: { $0.number == number }) { continue }
      violations.append(
        "\(name) has \(number.map { "version \($0)" } ?? "no version"), but \(durable ?? 0) was promised")
    }
    return violations
  }

  /// How many promises there are.
  var promiseCount: Int { state.withLock { $0.count { $0.durableAt != nil } } }
}

/// The content of a version of a file: its number, so often as the number says.
enum FileContent {
  static func bytes(_ number: Int) -> [UInt8] {
    [Int](repeating: number, count: number &* 7919 % 5000 + 16).withUnsafeBytes { Array($0) }
  }

  /// Which version bytes are; nil: none.
  static func number(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 8 else { return nil }
    let number = bytes.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
    return number > 0 && number < 1 << 32 && bytes == self.bytes(number) ? number : nil
  }
}
