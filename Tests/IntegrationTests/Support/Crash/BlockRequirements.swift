/// What may be in each block of a disk whose power was cut, by what the host was promised until then.
struct BlockRequirements {
  private let operations: [CrashHistory.Operation]
  /// The commands of each block, in order.
  private var numbers: [[Int]]
  /// The last of a block's commands that is durable: its index in `numbers`; -1: none.
  private var durable: [Int]
  private var position = 0
  /// Promises that begin at later positions, the latest first.
  private var promises: [(position: Int, block: Int, index: Int)] = []

  init(_ history: CrashHistory) {
    operations = history.operations
    numbers = Array(repeating: [], count: history.blockCount)
    durable = Array(repeating: -1, count: history.blockCount)
    for (index, operation) in operations.enumerated() {
      for block in operation.blocks {
        if let position = operation.durableAt { promises.append((position, block, numbers[block].count)) }
        numbers[block].append(index + 1)
      }
    }
    promises.sort { $0.position > $1.position }
  }

  /// How many blocks there are.
  var blockCount: Int { durable.count }

  /// How many promises of durability there are in all: of a block each.
  var promiseCount: Int { promises.count }

  /// Goes on to a position of the disk: what was promised before it has to be there. Gives the blocks that more is
  /// asked of than before.
  @discardableResult
  mutating func advance(to position: Int) -> Set<Int> {
    self.position = position
    var changed = Set<Int>()
    while let next = promises.last, next.position <= position {
      durable[next.block] = max(durable[next.block], next.index)
      changed.insert(next.block)
      promises.removeLast()
    }
    return changed
  }

  /// Whether nothing of before a command may be left.
  private func settles(_ number: Int) -> Bool {
    let operation = operations[number - 1]
    return operation.kind != .deallocate && operation.durableAt ?? .max <= position
  }

  /// Why a block may not be as it is, by what each of its sectors says; nil where it may.
  func violation(block: Int, _ sectors: ArraySlice<NumberedBlocks.Sector>) -> String? {
    guard let first = sectors.first, case .version(let version) = first else { return "block \(block): foreign bytes" }
    guard sectors.allSatisfy({ $0 == first }) else { return "block \(block) is torn: \(Array(sectors))" }
    let commands = numbers[block]
    var index = durable[block]
    // After a deallocation there may be what was there before it: what was durable, or came after that.
    while index >= 0, !settles(commands[index]) { index -= 1 }
    if index < 0, version == 0 { return nil }
    for number in commands[max(index, 0)...] {
      switch operations[number - 1].kind {
      case .write: if number == version { return nil }
      case .zero, .deallocate: if version == 0 { return nil }
      }
    }
    let promised = durable[block] < 0 ? "nothing" : "\(commands[durable[block]])"
    return "block \(block) has version \(version), but \(promised) was promised to be durable, of \(commands)"
  }
}
