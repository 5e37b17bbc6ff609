import NVMeSpec
import Testing

@Suite struct IdentifyControllerTests {
  /// The layout by the sizes of the fields, as the kernel's `struct nvme_id_ctrl` and libnvme's have them.
  @Test func layout() {
    checkLayout(
      of: IdentifyController.self,
      [
        .integer("vid", \.pciVendorIdentifier), .integer("ssvid", \.pciSubsystemVendorIdentifier),
        .ascii("sn", 20, \.serialNumber), .ascii("mn", 40, \.modelNumber), .ascii("fr", 8, \.firmwareRevision),
        .integer("rab", \.recommendedArbitrationBurst), .bytes("ieee", 3, \.ieeeOUI),
        .options("cmic", \.multipathCapabilities), .integer("mdts", \.maximumDataTransferSize),
        .integer("cntlid", \.controllerIdentifier),
        .custom("ver", [0, 4, 1, 0], isFilled: { $0.version == .v1dot4 }) { $0.version = .v1dot4 },
        .integer("rtd3r", \.rtd3ResumeLatency), .integer("rtd3e", \.rtd3EntryLatency),
        .options("oaes", \.optionalAsynchronousEventsSupported), .options("ctratt", \.controllerAttributes),
        .integer("rrls", \.readRecoveryLevelsSupported), .reserved(9), .integer("cntrltype", \.controllerType),
        .bytes("fguid", 16, \.fruGUID), .integer("crdt1", \.commandRetryDelayTime1),
        .integer("crdt2", \.commandRetryDelayTime2), .integer("crdt3", \.commandRetryDelayTime3), .reserved(119),
        .integer("nvmsr", \.subsystemReport), .integer("vwci", \.vpdWriteCycleInformation),
        .integer("mec", \.managementEndpointCapabilities),
        .options("oacs", \.optionalAdminCommandsSupported), .integer("acl", \.abortCommandLimit),
        .integer("aerl", \.asynchronousEventRequestLimit), .integer("frmw", \.firmwareUpdates),
        .options("lpa", \.logPageAttributes), .integer("elpe", \.errorLogPageEntries),
        .integer("npss", \.numberOfPowerStates), .integer("avscc", \.adminVendorSpecificCommandConfiguration),
        .integer("apsta", \.autonomousPowerStateTransitionAttributes),
        .integer("wctemp", \.warningCompositeTemperatureThreshold),
        .integer("cctemp", \.criticalCompositeTemperatureThreshold),
        .integer("mtfa", \.maximumTimeForFirmwareActivation), .integer("hmpre", \.hostMemoryBufferPreferredSize),
        .integer("hmmin", \.hostMemoryBufferMinimumSize), .integer("tnvmcap", \.totalNVMCapacity),
        .integer("unvmcap", \.unallocatedNVMCapacity), .integer("rpmbs", \.replayProtectedMemoryBlockSupport),
        .integer("edstt", \.extendedDeviceSelfTestTime), .integer("dsto", \.deviceSelfTestOptions),
        .integer("fwug", \.firmwareUpdateGranularity), .integer("kas", \.keepAliveSupport),
        .integer("hctma", \.hostControlledThermalManagementAttributes),
        .integer("mntmt", \.minimumThermalManagementTemperature),
        .integer("mxtmt", \.maximumThermalManagementTemperature), .integer("sanicap", \.sanitizeCapabilities),
        .integer("hmminds", \.hostMemoryBufferMinimumDescriptorEntrySize),
        .integer("hmmaxd", \.hostMemoryMaximumDescriptorEntries), .integer("nsetidmax", \.nvmSetIdentifierMaximum),
        .integer("endgidmax", \.enduranceGroupIdentifierMaximum), .integer("anatt", \.anaTransitionTime),
        .integer("anacap", \.asymmetricNamespaceAccessCapabilities),
        .integer("anagrpmax", \.anaGroupIdentifierMaximum), .integer("nanagrpid", \.numberOfANAGroupIdentifiers),
        .integer("pels", \.persistentEventLogSize), .integer("domainid", \.domainIdentifier), .reserved(10),
        .integer("megcap", \.maximumEnduranceGroupCapacity), .reserved(128),
        .integer("sqes", \.submissionQueueEntrySize), .integer("cqes", \.completionQueueEntrySize),
        .integer("maxcmd", \.maximumOutstandingCommands), .integer("nn", \.numberOfNamespaces),
        .options("oncs", \.optionalNVMCommandsSupported), .options("fuses", \.fusedOperationsSupported),
        .integer("fna", \.formatNVMAttributes), .options("vwc", \.volatileWriteCache),
        .integer("awun", \.atomicWriteUnitNormal), .integer("awupf", \.atomicWriteUnitPowerFail),
        .integer("icsvscc", \.ioVendorSpecificCommandConfiguration),
        .integer("nwpc", \.namespaceWriteProtectionCapabilities), .integer("acwu", \.atomicCompareAndWriteUnit),
        .integer("ocfs", \.copyDescriptorFormatsSupported), .options("sgls", \.sglSupport),
        .integer("mnan", \.maximumNumberOfAllowedNamespaces),
        .integer("maxdna", \.maximumDomainNamespaceAttachments),
        .integer("maxcna", \.maximumIOControllerNamespaceAttachments), .reserved(204),
        .custom(
          "subnqn", [0x6E, 0x71, 0x6E] + [UInt8](repeating: 0, count: 253),
          isFilled: { $0.subsystemNVMeQualifiedName == "nqn" }
        ) { $0.subsystemNVMeQualifiedName = "nqn" },
        .reserved(768), .reserved(4 + 4 + 2 + 1 + 1 + 2 + 1 + 241), .reserved(32 * 32),
        .bytes("vs", 1024, \.vendorSpecific),
      ])
  }

  @Test(arguments: [(0, 2048), (1, 2080), (31, 3040)]) func powerStates(index: Int, offset: Int) {
    var descriptor = PowerStateDescriptor()
    descriptor.maximumPower = 0x0102
    var controller = IdentifyController()
    controller[powerState: index] = descriptor
    var expected = [UInt8](repeating: 0, count: 4096)
    expected[offset] = 2
    expected[offset + 1] = 1
    #expect(controller.encode() == expected)
    #expect(controller[powerState: index]?.maximumPower == 0x0102)
  }

  @Test(arguments: [-1, 32]) func powerStatesThatAreNot(index: Int) {
    var controller = IdentifyController()
    controller[powerState: index] = PowerStateDescriptor(decoding: [UInt8](repeating: 0xFF, count: 32))
    #expect(controller == IdentifyController())
    #expect(controller[powerState: index] == nil)
  }

  @Test func textIsCutPaddedAndPrintable() {
    var controller = IdentifyController()
    controller.firmwareRevision = "123456789"
    #expect(controller.firmwareRevision == "12345678")
    #expect(controller.encode()[72] == 0)
    controller.firmwareRevision = "a\u{E9}\n b"
    #expect(Array(controller.encode()[64..<72]) == [0x61, 0x3F, 0x3F, 0x20, 0x62, 0x20, 0x20, 0x20])
    controller.subsystemNVMeQualifiedName = String(repeating: "n", count: 254) + "\u{E9}"
    #expect(controller.encode()[768..<1022].allSatisfy { $0 == 0x6E })
    #expect(controller.encode()[1022..<1025].allSatisfy { $0 == 0 })
  }
}
