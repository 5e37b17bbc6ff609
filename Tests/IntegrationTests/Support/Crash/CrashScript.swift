/// What a disk was asked for and what its host was told, by hand: for tests of what looks for violations.
struct CrashScript {
  static let blockCount = 4
  static let blockByteCount = 1024

  let history = CrashHistory(blockCount: blockCount)
  private(set) var events: [RecordedDisk.Event] = []
  private var arrivals: [Int: Int] = [:]

  /// The host submits a command for block 0, or others. Gives its number.
  func submit(_ kind: CrashHistory.Kind = .write, _ blocks: Range<Int> = 0..<1) -> Int { history.begin(kind, blocks) }

  /// A write of that number comes to the disk, or some sectors of it.
  mutating func arrive(_ number: Int, _ blocks: Range<Int> = 0..<1, sectors: Range<Int>? = nil, isForced: Bool = false)
  {
    arrivals[number] = events.count
    let byteCount = blocks.count * Self.blockByteCount
    var bytes = [UInt8](repeating: 0, count: byteCount)
    bytes.withUnsafeMutableBytes { memory in
      guard let base = memory.baseAddress else { return }
      NumberedBlocks.fill(
        base, first: blocks.lowerBound, count: blocks.count, blockByteCount: Self.blockByteCount, version: number)
    }
    let sectors = sectors ?? 0..<byteCount / NumberedBlocks.sectorByteCount
    let (start, end) = (
      sectors.lowerBound * NumberedBlocks.sectorByteCount, sectors.upperBound * NumberedBlocks.sectorByteCount
    )
    events.append(
      .write(
        offset: blocks.lowerBound * Self.blockByteCount + start, bytes: Array(bytes[start..<end]), isForced: isForced))
  }

  /// Zeros of that number come to the disk.
  mutating func clear(_ number: Int, _ blocks: Range<Int> = 0..<1) {
    arrivals[number] = events.count
    events.append(.clear(blocks.lowerBound * Self.blockByteCount..<blocks.upperBound * Self.blockByteCount))
  }

  /// The disk answers the last request of that number.
  mutating func answer(_ number: Int) {
    guard let arrival = arrivals[number] else { return }
    events.append(.answer(arrival))
  }

  /// Anything else happens.
  mutating func add(_ event: RecordedDisk.Event) { events.append(event) }

  /// The disk is asked to sync, and does.
  mutating func sync() { events.append(.sync) }

  /// The host is told that a command has completed.
  func complete(_ number: Int, isForced: Bool = false) {
    history.end(number, isForced: isForced, position: events.count)
  }

  /// A write as it should be.
  mutating func write(_ blocks: Range<Int> = 0..<1, isForced: Bool = false) {
    let number = submit(.write, blocks)
    arrive(number, blocks, isForced: isForced)
    answer(number)
    complete(number, isForced: isForced)
  }

  /// A flush, or an orderly end, that succeeds after something.
  mutating func flush(_ body: (inout CrashScript) -> Void) {
    let flush = history.beginFlush()
    body(&self)
    history.endFlush(flush, position: events.count)
  }

  /// What `PowerCuts` says of it.
  var violations: [String] { PowerCuts(events, history, blockByteCount: Self.blockByteCount).violations }
}
