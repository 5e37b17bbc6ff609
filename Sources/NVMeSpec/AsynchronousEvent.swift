/// The kinds of asynchronous event (NVMe base 2.0, 5.2).
///
/// Once an event of a type is reported, further ones of it are held until the host reads the event's log page.
@frozen public enum AsynchronousEventType: UInt8, Sendable, CaseIterable {
  /// Error status.
  case error = 0
  /// SMART / health status.
  case smartHealth = 1
  /// Notice.
  case notice = 2
  /// I/O command set specific status.
  case ioCommandSet = 6
  /// Defined by the vendor.
  case vendorSpecific = 7
}

/// What an Asynchronous Event Request completes with (NVMe base 2.0, 5.2).
@frozen public struct AsynchronousEvent: Equatable, Hashable, Sendable {
  /// Asynchronous Event Type.
  public var type: AsynchronousEventType
  /// Asynchronous Event Information: what happened, within its type.
  public var information: UInt8
  /// Log Page Identifier: the log page that tells more, and that clears the event when it is read.
  public var logPage: LogPageIdentifier

  /// Makes an event.
  @inlinable public init(type: AsynchronousEventType, information: UInt8, logPage: LogPageIdentifier) {
    self.type = type
    self.information = information
    self.logPage = logPage
  }

  /// Reads the event of a completion; nil if its type or log page is unknown.
  @inlinable public init?(completionDword0: UInt32) {
    guard let type = AsynchronousEventType(rawValue: UInt8(truncatingIfNeeded: completionDword0 & 7)),
      let logPage = LogPageIdentifier(rawValue: UInt8(truncatingIfNeeded: completionDword0 &>> 16))
    else { return nil }
    self.init(type: type, information: UInt8(truncatingIfNeeded: completionDword0 &>> 8), logPage: logPage)
  }

  /// Dword 0 of the completion that reports the event.
  @inlinable public var completionDword0: UInt32 {
    UInt32(type.rawValue) | UInt32(information) &<< 8 | UInt32(logPage.rawValue) &<< 16
  }
}

extension AsynchronousEvent {
  /// Write to Invalid Doorbell Register: the doorbell is of no queue.
  public static let invalidDoorbellRegister = AsynchronousEvent(error: 0x00)
  /// Invalid Doorbell Write Value: the value is beyond the queue, or not allowed in its state.
  public static let invalidDoorbellWriteValue = AsynchronousEvent(error: 0x01)
  /// Diagnostic Failure.
  public static let diagnosticFailure = AsynchronousEvent(error: 0x02)
  /// Persistent Internal Error.
  public static let persistentInternalError = AsynchronousEvent(error: 0x03)
  /// Transient Internal Error.
  public static let transientInternalError = AsynchronousEvent(error: 0x04)
  /// Firmware Image Load Error.
  public static let firmwareImageLoadError = AsynchronousEvent(error: 0x05)

  /// NVM subsystem Reliability; also for media that became read only and a failed backup of volatile memory.
  public static let subsystemReliability = AsynchronousEvent(smartHealth: 0x00)
  /// Temperature Threshold.
  public static let temperatureThreshold = AsynchronousEvent(smartHealth: 0x01)
  /// Spare Below Threshold.
  public static let spareBelowThreshold = AsynchronousEvent(smartHealth: 0x02)

  /// Namespace Attribute Changed.
  public static let namespaceAttributeChanged = AsynchronousEvent(notice: 0x00, .changedNamespaceList)
  /// Firmware Activation Starting.
  public static let firmwareActivationStarting = AsynchronousEvent(notice: 0x01, .firmwareSlotInformation)
  /// Telemetry Log Changed.
  public static let telemetryLogChanged = AsynchronousEvent(notice: 0x02, .telemetryControllerInitiated)
  /// Asymmetric Namespace Access Change.
  public static let asymmetricNamespaceAccessChange = AsynchronousEvent(notice: 0x03, .asymmetricNamespaceAccess)
  /// Predictable Latency Event Aggregate Log Change.
  public static let predictableLatencyEventAggregateLogChange = AsynchronousEvent(
    notice: 0x04, .predictableLatencyEventAggregate)
  /// LBA Status Information Alert.
  public static let lbaStatusInformationAlert = AsynchronousEvent(notice: 0x05, .lbaStatusInformation)
  /// Endurance Group Event Aggregate Log Page Change.
  public static let enduranceGroupEventAggregateLogChange = AsynchronousEvent(
    notice: 0x06, .enduranceGroupEventAggregate)

  /// Reservation Log Page Available.
  public static let reservationLogPageAvailable = AsynchronousEvent(
    type: .ioCommandSet, information: 0x00, logPage: .reservationNotification)
  /// Sanitize Operation Completed.
  public static let sanitizeOperationCompleted = AsynchronousEvent(
    type: .ioCommandSet, information: 0x01, logPage: .sanitizeStatus)
  /// Sanitize Operation Completed With Unexpected Deallocation.
  public static let sanitizeOperationCompletedWithUnexpectedDeallocation = AsynchronousEvent(
    type: .ioCommandSet, information: 0x02, logPage: .sanitizeStatus)

  private init(error information: UInt8) {
    self.init(type: .error, information: information, logPage: .errorInformation)
  }

  private init(smartHealth information: UInt8) {
    self.init(type: .smartHealth, information: information, logPage: .smartHealthInformation)
  }

  private init(notice information: UInt8, _ logPage: LogPageIdentifier) {
    self.init(type: .notice, information: information, logPage: logPage)
  }
}
