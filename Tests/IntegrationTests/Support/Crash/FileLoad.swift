import Glibc
import LinuxIO
import NVMeHost
import Synchronization

/// Files written anew and renamed over the old ones, as careful programs do, and others that nobody waits for.
struct FileLoad: ~Copyable {
  private static let names = 12

  private let system: LoopFileSystem
  private let history: FileHistory
  private let number: Int
  private let position: () -> Int
  private var random: XorShift

  /// - Parameter number: of the load, which has names of its own.
  init(_ system: LoopFileSystem, _ history: FileHistory, number: Int, seed: UInt64, position: @escaping () -> Int) {
    self.system = system
    self.history = history
    self.number = number
    self.position = position
    random = XorShift(seed: seed)
  }

  /// Does so many things.
  mutating func run(_ steps: Int) throws {
    for _ in 0..<steps {
      let name = "\(number)-\(random.next() % UInt64(FileLoad.names))"
      switch random.next() % 8 {
      case 0: try scratch(bytes: Int(random.next() % (512 << 10)))
      case 1: unlink(system.path("scratch-\(number)"))
      default: try replace(name)
      }
    }
  }

  /// A file whose content is durable before it takes its name, and whose name is then.
  private func replace(_ name: String) throws {
    let version = history.begin(name)
    let bytes = FileContent.bytes(version)
    let temporary = system.path("temporary-\(number)")
    try write(bytes, to: temporary, syncs: true)
    guard rename(temporary, system.path(name)) == 0 else { throw Errno.current }
    try system.syncNames()
    history.end(version, position: position())
  }

  /// A file that is left to the page cache.
  private func scratch(bytes count: Int) throws {
    try write([UInt8](repeating: 0xA5, count: count), to: system.path("scratch-\(number)"), syncs: false)
  }

  private func write(_ bytes: [UInt8], to path: String, syncs: Bool) throws {
    let file = try FileDescriptor(path: path, flags: O_WRONLY | O_CREAT | O_TRUNC)
    guard Glibc.write(file.rawValue, bytes, bytes.count) == bytes.count else { throw Errno.current }
    guard !syncs || fdatasync(file.rawValue) == 0 else { throw Errno.current }
  }
}
