/// Identify, admin command 06h (NVMe base 2.0, 5.17).
@frozen public struct IdentifyCommand: Sendable, Equatable {
  /// The command itself.
  public var entry: SubmissionQueueEntry

  /// Views `entry` as this command.
  @inlinable public init(_ entry: SubmissionQueueEntry) { self.entry = entry }

  /// CNS: the structure that is asked for, an ``IdentifyCNS`` if it is a known one.
  @inlinable public var cns: UInt8 {
    get { UInt8(truncatingIfNeeded: entry.cdw10) }
    set { entry.cdw10.setField(at: 0, width: 8, to: UInt32(newValue)) }
  }

  /// CNTID: the controller, for the structures that need one.
  @inlinable public var controllerIdentifier: UInt16 {
    get { UInt16(truncatingIfNeeded: entry.cdw10 &>> 16) }
    set { entry.cdw10.setField(at: 16, width: 16, to: UInt32(newValue)) }
  }

  /// CNS Specific Identifier: an NVM set, a domain or an endurance group, by the structure.
  @inlinable public var cnsSpecificIdentifier: UInt16 {
    get { UInt16(truncatingIfNeeded: entry.cdw11) }
    set { entry.cdw11.setField(at: 0, width: 16, to: UInt32(newValue)) }
  }

  /// CSI: the I/O command set, for the structures that are specific to one; see ``CommandSetIdentifier``.
  @inlinable public var commandSetIdentifier: UInt8 {
    get { UInt8(truncatingIfNeeded: entry.cdw11 &>> 24) }
    set { entry.cdw11.setField(at: 24, width: 8, to: UInt32(newValue)) }
  }

  /// UUID Index: which vendor's definition, for vendor specific structures.
  @inlinable public var uuidIndex: UInt8 {
    get { UInt8(truncatingIfNeeded: entry.cdw14.field(at: 0, width: 7)) }
    set { entry.cdw14.setField(at: 0, width: 7, to: UInt32(newValue)) }
  }

  /// NSID: the namespace, or where a list starts.
  @inlinable public var nsid: UInt32 {
    get { entry.namespaceIdentifier }
    set { entry.namespaceIdentifier = newValue }
  }
}

/// CSI: the I/O command sets (NVMe base 2.0, 5.17, Command Set Identifier).
public enum CommandSetIdentifier {
  /// The NVM command set.
  @inlinable public static var nvm: UInt8 { 0x00 }
  /// The Key Value command set.
  @inlinable public static var keyValue: UInt8 { 0x01 }
  /// The Zoned Namespace command set.
  @inlinable public static var zonedNamespace: UInt8 { 0x02 }
}
