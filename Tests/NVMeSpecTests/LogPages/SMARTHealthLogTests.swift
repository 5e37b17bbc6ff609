import NVMeSpec
import Testing

@Suite struct SMARTHealthLogTests {
  /// The layout by the sizes of the fields, as the kernel's `struct nvme_smart_log` has them. The temperature at byte 1
  /// and the 128-bit counters are not aligned.
  @Test func layout() {
    checkLayout(
      of: SMARTHealthLog.self,
      [
        .options("critical_warning", \.criticalWarning), .integer("temperature", \.compositeTemperature),
        .integer("avail_spare", \.availableSpare), .integer("spare_thresh", \.availableSpareThreshold),
        .integer("percent_used", \.percentageUsed),
        .integer("endu_grp_crit_warn_sumry", \.enduranceGroupCriticalWarningSummary), .reserved(25),
        .integer("data_units_read", \.dataUnitsRead), .integer("data_units_written", \.dataUnitsWritten),
        .integer("host_reads", \.hostReadCommands), .integer("host_writes", \.hostWriteCommands),
        .integer("ctrl_busy_time", \.controllerBusyTime), .integer("power_cycles", \.powerCycles),
        .integer("power_on_hours", \.powerOnHours), .integer("unsafe_shutdowns", \.unsafeShutdowns),
        .integer("media_errors", \.mediaAndDataIntegrityErrors),
        .integer("num_err_log_entries", \.numberOfErrorInformationLogEntries),
        .integer("warning_temp_time", \.warningCompositeTemperatureTime),
        .integer("critical_comp_time", \.criticalCompositeTemperatureTime), .reserved(16),
        .integer("thm_temp1_trans_count", \.thermalManagementTemperature1TransitionCount),
        .integer("thm_temp2_trans_count", \.thermalManagementTemperature2TransitionCount),
        .integer("thm_temp1_total_time", \.totalTimeForThermalManagementTemperature1),
        .integer("thm_temp2_total_time", \.totalTimeForThermalManagementTemperature2), .reserved(280),
      ])
  }

  @Test(arguments: [(1, 200), (8, 214)]) func sensors(sensor: Int, offset: Int) {
    var log = SMARTHealthLog()
    log[temperatureSensor: sensor] = 0x0201
    var expected = [UInt8](repeating: 0, count: 512)
    expected.replaceSubrange(offset..<offset + 2, with: [1, 2])
    #expect(log.encode() == expected)
    #expect(log[temperatureSensor: sensor] == 0x0201)
  }

  @Test(arguments: [0, 9]) func sensorsThatAreNot(sensor: Int) {
    var log = SMARTHealthLog()
    log[temperatureSensor: sensor] = 1
    #expect(log == SMARTHealthLog())
    #expect(log[temperatureSensor: sensor] == nil)
  }

  @Test(arguments: [(0, 0), (1, 1), (512_000, 1), (512_001, 2), (1_024_001, 3)] as [(UInt64, UInt64)])
  func dataUnits(byteCount: UInt64, units: UInt64) {
    #expect(SMARTHealthLog.dataUnits(ofByteCount: UInt128(byteCount)) == UInt128(units))
  }

  @Test func warnings() {
    #expect(CriticalWarning.spareBelowThreshold.rawValue == 1)
    #expect(CriticalWarning.temperature.rawValue == 2)
    #expect(CriticalWarning.reliabilityDegraded.rawValue == 4)
    #expect(CriticalWarning.readOnly.rawValue == 8)
    #expect(CriticalWarning.persistentMemoryRegionUnreliable.rawValue == 0x20)
  }
}
