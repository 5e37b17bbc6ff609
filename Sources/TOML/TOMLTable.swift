/// A table: its members in the order of the text.
public struct TOMLTable: Sendable, Equatable {
  /// A key with its value.
  public struct Member: Sendable, Equatable {
    /// The key.
    public let key: String
    /// Where the key stands first; `nil` where it came from no text.
    public let position: SourcePosition?
    /// The value.
    public let node: TOMLNode

    /// A key with its value.
    public init(key: String, position: SourcePosition? = nil, node: TOMLNode) {
      self.key = key
      self.position = position
      self.node = node
    }
  }

  /// The members; no two have the same key.
  public let members: [Member]

  /// A table of members with different keys.
  public init(members: [Member]) { self.members = members }

  /// A table that came from no text.
  public init(_ nodes: [String: TOMLNode]) {
    members = nodes.sorted { $0.key < $1.key }.map { Member(key: $0.key, node: $0.value) }
  }

  /// The keys, in the order of the text.
  public var keys: [String] { members.map(\.key) }

  /// The member with a key. Keys are compared by their characters: other ways to write an accent are other keys.
  public func member(_ key: String) -> Member? {
    members.first { $0.key.utf8.elementsEqual(key.utf8) }
  }

  /// The value of a key.
  public subscript(key: String) -> TOMLNode? { member(key)?.node }
}
