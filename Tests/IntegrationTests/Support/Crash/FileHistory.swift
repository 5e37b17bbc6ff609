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

  /// For each name the last version that must be there at a position, and all that may be: those from it on.
  func expectations(at position: Int) -> [(name: String, durable: Int?, allowed: [Int])] {
    let versions = state.withLock { $0 }
    return Dictionary(grouping: versions, by: \.name).map { name, versions in
      let durable = versions.last { ($0.durableAt ?? .max) <= position }?.number
      return (name, durable, versions.map(\.number).filter { $0 >= durable ?? 0 })
    }
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
