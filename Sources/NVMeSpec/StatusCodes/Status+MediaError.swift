// Media and data integrity errors (NVMe base 2.0, 3.3.3.2.1.3).

extension Status {
  /// Write Fault (2/80); may be retried.
  @inlinable public static var writeFault: Status { Status(rawValue: 0x0280) }

  /// Unrecovered Read Error (2/81); may be retried.
  @inlinable public static var unrecoveredReadError: Status { Status(rawValue: 0x0281) }

  /// End-to-end Guard Check Error (2/82); may be retried.
  @inlinable public static var endToEndGuardCheckError: Status { Status(rawValue: 0x0282) }

  /// End-to-end Application Tag Check Error (2/83); may be retried.
  @inlinable public static var endToEndApplicationTagCheckError: Status { Status(rawValue: 0x0283) }

  /// End-to-end Reference Tag Check Error (2/84); may be retried.
  @inlinable public static var endToEndReferenceTagCheckError: Status { Status(rawValue: 0x0284) }

  /// Compare Failure (2/85).
  @inlinable public static var compareFailure: Status { Status(rawValue: 0x4285) }

  /// Access Denied (2/86).
  @inlinable public static var accessDenied: Status { Status(rawValue: 0x4286) }

  /// Deallocated or Unwritten Logical Block (2/87).
  @inlinable public static var deallocatedOrUnwrittenBlock: Status { Status(rawValue: 0x4287) }

  /// End-to-end Storage Tag Check Error (2/88); may be retried.
  @inlinable public static var endToEndStorageTagCheckError: Status { Status(rawValue: 0x0288) }
}
