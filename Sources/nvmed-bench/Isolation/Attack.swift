import ArgumentParser

/// What one guest does to a daemon that it shares with others.
enum Attack: String, CaseIterable, ExpressibleByArgument {
  /// Reads of 4 KiB, 128 on each of 16 queues.
  case flood
  /// The same from a controller with a limit of 1,000 commands a second.
  case limited
  /// Reads as long as the controller takes them, 32 in flight.
  case transfers
  /// Reads into memory that direct I/O finds misaligned, 128 in flight.
  case bounced
  /// Doorbells without commands, and with values that they cannot have.
  case doorbells
  /// Commands that fail, each for another reason: 128 on each of 4 queues.
  case failures
  /// Dataset Management of 256 ranges and Write Zeroes of the greatest size, in turns.
  case zeroes
  /// Admin commands, as many as there is room for.
  case admin
  /// Reads of a register, one after the other, by message.
  case registers
  /// Pages of memory mapped, thousands at a time, and unmapped.
  case maps
  /// Resets of the controller with queues and commands in flight.
  case resets
  /// Connections that begin and end.
  case connections
}
