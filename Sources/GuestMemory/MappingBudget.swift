import CLinux
import Glibc
import LinuxIO
import Synchronization

/// How many mappings of guest memory the process may have: shared by all controllers.
///
/// The kernel gives a process so many mappings and no more (`vm.max_map_count`, 65,530 by default), and what is not left
/// for them is missing to the allocator and to every other client. So no client may hold more ranges than are still free:
/// one alone gets half of them, two a third each, and whoever comes next always finds as many as the greediest has. The
/// kernel joins ranges that follow each other in a file, so that this counts more than there are.
public final class MappingBudget: Sendable {
  /// Mappings that are left for everything else: code, stacks, the allocator, rings, doorbell pages.
  public static let reserve = 4096
  /// The kernel's default of `vm.max_map_count`.
  private static let usualLimit = 65_530

  /// The process's. Asked for before a sandbox hides `/proc/sys`.
  public static let process = MappingBudget(
    total: min(Int(CLINUX_SIGBUS_RANGES), max(kernelLimit() - reserve, kernelLimit() / 2)))

  /// How many there are, free or not.
  public let total: Int
  private let free: Atomic<Int>

  /// A budget of so many mappings.
  init(total: Int) {
    self.total = total
    free = Atomic(total)
  }

  /// How many are free.
  public var freeCount: Int { free.load(ordering: .relaxed) }

  /// Takes one for a client that holds so many.
  ///
  /// - Returns: false where it holds its share.
  func take(holding count: Int) -> Bool {
    var left = freeCount
    while count < left {
      let (exchanged, original) = free.compareExchange(expected: left, desired: left - 1, ordering: .relaxed)
      if exchanged { return true }
      left = original
    }
    return false
  }

  /// Gives one back, when it is unmapped.
  func give() { free.add(1, ordering: .relaxed) }

  private static func kernelLimit() -> Int {
    let file: FileDescriptor
    do throws(Errno) {
      file = try FileDescriptor(path: "/proc/sys/vm/max_map_count", flags: O_RDONLY)
    } catch { return usualLimit }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = unsafe read(file.rawValue, &bytes, bytes.count)
    let digits = bytes.prefix(max(count, 0)).prefix { (0x30...0x39).contains($0) }
    guard let limit = Int(String(decoding: digits, as: UTF8.self)), limit > 0 else { return usualLimit }
    return limit
  }
}
