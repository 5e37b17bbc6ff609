// Path related status (NVMe base 2.0, 3.3.3.2.1.4).

extension Status {
  /// Internal Path Error (3/00); may be retried.
  @inlinable public static var internalPathError: Status { Status(rawValue: 0x0300) }

  /// Asymmetric Access Persistent Loss (3/01); may be retried.
  @inlinable public static var asymmetricAccessPersistentLoss: Status { Status(rawValue: 0x0301) }

  /// Asymmetric Access Inaccessible (3/02); may be retried.
  @inlinable public static var asymmetricAccessInaccessible: Status { Status(rawValue: 0x0302) }

  /// Asymmetric Access Transition (3/03); may be retried.
  @inlinable public static var asymmetricAccessTransition: Status { Status(rawValue: 0x0303) }

  /// Controller Pathing Error (3/60); may be retried.
  @inlinable public static var controllerPathingError: Status { Status(rawValue: 0x0360) }

  /// Host Pathing Error (3/70); may be retried.
  @inlinable public static var hostPathingError: Status { Status(rawValue: 0x0370) }

  /// Command Aborted By Host (3/71); may be retried.
  @inlinable public static var abortedByHost: Status { Status(rawValue: 0x0371) }
}
