import NVMeSpec
import Testing

@Suite struct AsynchronousEventTests {
  @Test(
    arguments: [
      (.invalidDoorbellRegister, 0x01_00_00), (.invalidDoorbellWriteValue, 0x01_01_00),
      (.diagnosticFailure, 0x01_02_00),
      (.persistentInternalError, 0x01_03_00), (.transientInternalError, 0x01_04_00),
      (.firmwareImageLoadError, 0x01_05_00), (.subsystemReliability, 0x02_00_01), (.temperatureThreshold, 0x02_01_01),
      (.spareBelowThreshold, 0x02_02_01), (.namespaceAttributeChanged, 0x04_00_02),
      (.firmwareActivationStarting, 0x03_01_02), (.telemetryLogChanged, 0x08_02_02),
      (.asymmetricNamespaceAccessChange, 0x0C_03_02), (.predictableLatencyEventAggregateLogChange, 0x0B_04_02),
      (.lbaStatusInformationAlert, 0x0E_05_02), (.enduranceGroupEventAggregateLogChange, 0x0F_06_02),
      (.reservationLogPageAvailable, 0x80_00_06), (.sanitizeOperationCompleted, 0x81_01_06),
      (.sanitizeOperationCompletedWithUnexpectedDeallocation, 0x81_02_06),
    ] as [(AsynchronousEvent, UInt32)])
  func completion(event: AsynchronousEvent, dword0: UInt32) {
    #expect(event.completionDword0 == dword0)
    #expect(AsynchronousEvent(completionDword0: dword0) == event)
  }

  @Test func unknown() {
    #expect(AsynchronousEvent(completionDword0: 0x01_00_03) == nil)
    #expect(AsynchronousEvent(completionDword0: 0xFE_00_00) == nil)
  }
}
