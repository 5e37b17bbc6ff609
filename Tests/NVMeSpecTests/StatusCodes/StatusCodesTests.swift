import NVMeSpec
import Testing

@Suite struct StatusCodesTests {
  @Test(arguments: NamedStatus.all) func rawValues(named: NamedStatus) {
    #expect(named.status.rawValue == named.rawValue)
  }

  /// The codes as the kernel's `include/linux/nvme.h` has them, without its flags.
  @Test(
    arguments: [
      (.dataTransferError, 0x4), (.internalError, 0x6), (.abortRequested, 0x7), (.abortedSQDeletion, 0x8),
      (.invalidNamespace, 0xB), (.commandSequenceError, 0xC), (.invalidSGLSegmentDescriptor, 0xD),
      (.invalidPRPOffset, 0x13), (.sglOffsetInvalid, 0x16), (.sglDataBlockGranularityInvalid, 0x1E),
      (.namespaceWriteProtected, 0x20), (.commandInterrupted, 0x21), (.lbaOutOfRange, 0x80), (.capacityExceeded, 0x81),
      (.namespaceNotReady, 0x82), (.completionQueueInvalid, 0x100), (.invalidQueueIdentifier, 0x101),
      (.invalidQueueSize, 0x102), (.abortCommandLimitExceeded, 0x103), (.asynchronousEventRequestLimitExceeded, 0x105),
      (.invalidInterruptVector, 0x108), (.invalidLogPage, 0x109), (.invalidFormat, 0x10A),
      (.invalidQueueDeletion, 0x10C),
      (.featureNotSaveable, 0x10D), (.featureNotChangeable, 0x10E), (.featureNotNamespaceSpecific, 0x10F),
      (.overlappingRange, 0x114), (.deviceSelfTestInProgress, 0x11D), (.conflictingAttributes, 0x180),
      (.invalidProtectionInformation, 0x181), (.commandSizeLimitExceeded, 0x183), (.zoneBoundaryError, 0x1B8),
      (.invalidZoneStateTransition, 0x1BF), (.writeFault, 0x280), (.unrecoveredReadError, 0x281),
      (.compareFailure, 0x285),
      (.accessDenied, 0x286), (.deallocatedOrUnwrittenBlock, 0x287), (.asymmetricAccessTransition, 0x303),
      (.abortedByHost, 0x371),
    ] as [(Status, UInt16)])
  func codes(status: Status, code: UInt16) {
    #expect(status.rawValue & 0x7FF == code)
  }

  @Test(
    arguments: [
      .success, .abortRequested, .abortedSQDeletion, .abortedPowerLoss, .commandInterrupted, .namespaceNotReady,
      .internalError, .writeFault, .unrecoveredReadError, .formatInProgress, .sanitizeInProgress,
      .deviceSelfTestInProgress, .transientTransportError, .adminCommandMediaNotReady,
    ] as [Status])
  func mayBeRetried(status: Status) {
    #expect(!status.doNotRetry)
  }

  @Test(arguments: NamedStatus.all) func descriptions(named: NamedStatus) {
    let type = named.rawValue >> 8 & 7
    let code = String(named.rawValue & 0xFF, radix: 16, uppercase: true)
    let number = "\(type)/\(code.count < 2 ? "0" : "")\(code)"
    let flag = named.rawValue & 0x4000 != 0 ? ", do not retry" : ""
    #expect("\(named.status)" == "\(named.name) (\(number)\(flag))")
  }

  @Test func descriptionsOfTheUnnamed() {
    #expect("\(Status(rawValue: 0x0017))" == "Reserved (0/17)")
    #expect("\(Status(rawValue: 0x4701))" == "Vendor Specific (7/01, do not retry)")
  }
}
