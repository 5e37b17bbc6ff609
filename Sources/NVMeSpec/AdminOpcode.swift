/// The commands of the admin queue (NVMe base 2.0, 5, Opcodes for Admin Commands).
@frozen public enum AdminOpcode: UInt8, Sendable, CaseIterable {
  /// Delete I/O Submission Queue.
  case deleteIOSubmissionQueue = 0x00
  /// Create I/O Submission Queue.
  case createIOSubmissionQueue = 0x01
  /// Get Log Page.
  case getLogPage = 0x02
  /// Delete I/O Completion Queue.
  case deleteIOCompletionQueue = 0x04
  /// Create I/O Completion Queue.
  case createIOCompletionQueue = 0x05
  /// Identify.
  case identify = 0x06
  /// Abort.
  case abort = 0x08
  /// Set Features.
  case setFeatures = 0x09
  /// Get Features.
  case getFeatures = 0x0A
  /// Asynchronous Event Request.
  case asynchronousEventRequest = 0x0C
  /// Namespace Management.
  case namespaceManagement = 0x0D
  /// Firmware Commit.
  case firmwareCommit = 0x10
  /// Firmware Image Download.
  case firmwareImageDownload = 0x11
  /// Device Self-test.
  case deviceSelfTest = 0x14
  /// Namespace Attachment.
  case namespaceAttachment = 0x15
  /// Keep Alive.
  case keepAlive = 0x18
  /// Directive Send.
  case directiveSend = 0x19
  /// Directive Receive.
  case directiveReceive = 0x1A
  /// Virtualization Management.
  case virtualizationManagement = 0x1C
  /// NVMe-MI Send.
  case nvmeMISend = 0x1D
  /// NVMe-MI Receive.
  case nvmeMIReceive = 0x1E
  /// Capacity Management.
  case capacityManagement = 0x20
  /// Lockdown.
  case lockdown = 0x24
  /// Doorbell Buffer Config.
  case doorbellBufferConfig = 0x7C
  /// Fabrics commands; not on PCIe.
  case fabrics = 0x7F
  /// Format NVM.
  case formatNVM = 0x80
  /// Security Send.
  case securitySend = 0x81
  /// Security Receive.
  case securityReceive = 0x82
  /// Sanitize.
  case sanitize = 0x84
  /// Get LBA Status.
  case getLBAStatus = 0x86
}
