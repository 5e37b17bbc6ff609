/// The vfio-user commands (vfio-user specification, "Commands"). They are numbers of the wire; those of other
/// revisions of the protocol have no case.
public enum Command: UInt16, CaseIterable, Sendable {
  /// Negotiates version and capabilities: the first message, once. Client to server.
  case version = 1
  /// Announces a range of guest memory. Client to server, with at most one descriptor.
  case dmaMap = 2
  /// Takes a range of guest memory back. Client to server.
  case dmaUnmap = 3
  /// What kind of device it is. Client to server.
  case deviceGetInfo = 4
  /// Size, access and mappable areas of a region. Client to server.
  case deviceGetRegionInfo = 5
  /// The ioeventfds of a region. Client to server.
  case deviceGetRegionIOFDs = 6
  /// How many interrupts an index has. Client to server.
  case deviceGetIRQInfo = 7
  /// Installs, masks or fires interrupts. Client to server, with eventfds.
  case deviceSetIRQs = 8
  /// Reads from a region. Client to server.
  case regionRead = 9
  /// Writes to a region. Client to server, often without a reply.
  case regionWrite = 10
  /// Reads memory that was announced without a descriptor. Server to client.
  case dmaRead = 11
  /// Writes memory that was announced without a descriptor. Server to client.
  case dmaWrite = 12
  /// Resets the device. Client to server.
  case deviceReset = 13
  /// Dirty tracking of specification 0.9.1 and earlier; dropped since. Client to server.
  case dirtyPages = 14
  /// Several small writes in one message, where both sides announced `write_multiple`. Client to server.
  case regionWriteMulti = 15
  /// Migration and dirty tracking, as `VFIO_DEVICE_FEATURE` of the kernel. Client to server.
  case deviceFeature = 16
  /// Reads device state during a migration. Client to server.
  case migrationDataRead = 17
  /// Writes device state during a migration. Client to server.
  case migrationDataWrite = 18
}
