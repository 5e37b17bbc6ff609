/// A part of a key, and where it stands.
struct TOMLKeyPart {
  let text: String
  let position: SourcePosition
}

/// Where a value is to be: a free key of a table, or the next element of an array.
struct TOMLSlot {
  let parent: Int
  let key: TOMLKeyPart?
}

/// The document as it is read: what is defined, and how, as that decides what may be added later.
///
/// A value comes behind what it is in. So the tree is made from the end to the beginning, without recursion.
struct TOMLBuilder {
  enum Kind {
    case scalar(TOMLNode.Content)
    case array
    /// The last element's index.
    case arrayOfTables(last: Int)
    case table(TableKind)
  }

  enum TableKind {
    /// A longer header has made it: its own may come later.
    case implicit
    /// It has had its header, or is the document.
    case explicit
    /// Dotted keys have made it, and may add to it: no header may.
    case dotted
    /// Nothing may be added.
    case inline
  }

  private struct Record {
    var kind: Kind
    let parent: Int
    let key: TOMLKeyPart?
    var position: SourcePosition
    let depth: Int
  }

  /// A key of a table. Compared byte for byte, as canonically equivalent texts are different keys.
  private struct Path: Hashable {
    let table: Int
    let key: [UInt8]
  }

  private let limits: TOMLLimits
  private var records: [Record]
  private var indexes: [Path: Int] = [:]

  /// The table of the document.
  static let root = 0

  init(limits: TOMLLimits) {
    self.limits = limits
    records = [
      Record(
        kind: .table(.explicit), parent: -1, key: nil, position: SourcePosition(line: 1, column: 1), depth: 0)
    ]
  }

  // MARK: Values

  /// Adds a value, and says its index.
  mutating func add(_ kind: Kind, to slot: TOMLSlot, at position: SourcePosition) throws(TOMLError) -> Int {
    guard records.count <= limits.nodes else {
      throw TOMLError(position: position, problem: .limit(.nodes, limits.nodes))
    }
    let depth = records[slot.parent].depth + 1
    guard depth <= limits.depth else {
      throw TOMLError(position: position, problem: .limit(.depth, limits.depth))
    }
    let index = records.count
    records.append(Record(kind: kind, parent: slot.parent, key: slot.key, position: position, depth: depth))
    if let key = slot.key { indexes[Path(table: slot.parent, key: Array(key.text.utf8))] = index }
    return index
  }

  private func find(_ key: TOMLKeyPart, in table: Int) -> Int? {
    indexes[Path(table: table, key: Array(key.text.utf8))]
  }

  private func refusal(
    _ key: TOMLKeyPart, _ index: Int, _ definition: TOMLProblem.Redefinition.Definition
  ) -> TOMLError {
    let existing: TOMLProblem.Redefinition.Existing =
      switch records[index].kind {
      case .scalar: .value
      case .array: .array
      case .arrayOfTables: .arrayOfTables
      case .table(.inline): .inlineTable
      case .table(.dotted): .dottedTable
      case .table: .table
      }
    let line = (records[index].key?.position ?? records[index].position).line
    return TOMLError(
      position: key.position,
      problem: .redefinition(.init(key: key.text, existing: existing, line: line, definition: definition)))
  }

  // MARK: Keys

  /// The place of a pair's value below a table; the tables between are made.
  mutating func slot(_ key: [TOMLKeyPart], in table: Int) throws(TOMLError) -> TOMLSlot {
    var table = table
    for part in key.dropLast() {
      guard let index = find(part, in: table) else {
        table = try add(.table(.dotted), to: TOMLSlot(parent: table, key: part), at: part.position)
        continue
      }
      switch records[index].kind {
      case .table(.dotted): break
      case .table(.implicit): records[index].kind = .table(.dotted)
      default: throw refusal(part, index, .member)
      }
      table = index
    }
    if let last = key.last, let index = find(last, in: table) { throw refusal(last, index, .value) }
    return TOMLSlot(parent: table, key: key.last)
  }

  // MARK: Headers

  /// The table that holds the last part of a header's key; the tables between are made.
  private mutating func parent(_ key: [TOMLKeyPart], at position: SourcePosition) throws(TOMLError) -> Int {
    var table = Self.root
    for part in key.dropLast() {
      guard let index = find(part, in: table) else {
        table = try add(.table(.implicit), to: TOMLSlot(parent: table, key: part), at: position)
        continue
      }
      switch records[index].kind {
      case .arrayOfTables(let last): table = last
      case .table(.inline), .scalar, .array: throw refusal(part, index, .member)
      case .table: table = index
      }
    }
    return table
  }

  /// Defines the table of a header.
  mutating func defineTable(_ key: [TOMLKeyPart], at position: SourcePosition) throws(TOMLError) -> Int {
    let parent = try parent(key, at: position)
    guard let last = key.last else { return parent }
    guard let index = find(last, in: parent) else {
      return try add(.table(.explicit), to: TOMLSlot(parent: parent, key: last), at: position)
    }
    guard case .table(.implicit) = records[index].kind else { throw refusal(last, index, .table) }
    records[index].kind = .table(.explicit)
    records[index].position = position
    return index
  }

  /// Adds an element to the array of tables of a header.
  mutating func appendTable(_ key: [TOMLKeyPart], at position: SourcePosition) throws(TOMLError) -> Int {
    let parent = try parent(key, at: position)
    guard let last = key.last else { return parent }
    var array = find(last, in: parent)
    if let array {
      guard case .arrayOfTables = records[array].kind else { throw refusal(last, array, .arrayOfTables) }
    } else {
      array = try add(.arrayOfTables(last: Self.root), to: TOMLSlot(parent: parent, key: last), at: position)
    }
    guard let array else { return parent }
    let element = try add(.table(.explicit), to: TOMLSlot(parent: array, key: nil), at: position)
    records[array].kind = .arrayOfTables(last: element)
    return element
  }

  // MARK: The tree

  /// The document.
  consuming func tree() -> TOMLNode {
    var members = [[TOMLTable.Member]](repeating: [], count: records.count)
    for index in records.indices.dropFirst().reversed() {
      let record = records[index]
      let member = TOMLTable.Member(
        key: record.key?.text ?? "", position: record.key?.position,
        node: TOMLNode(content: content(index, &members), position: record.position))
      members[record.parent].append(member)
    }
    return TOMLNode(content: content(Self.root, &members), position: records[Self.root].position)
  }

  private func content(_ index: Int, _ members: inout [[TOMLTable.Member]]) -> TOMLNode.Content {
    var own: [TOMLTable.Member] = []
    swap(&own, &members[index])
    own.reverse()
    switch records[index].kind {
    case .scalar(let content): return content
    case .array, .arrayOfTables: return .array(own.map(\.node))
    case .table: return .table(TOMLTable(members: own))
    }
  }
}
